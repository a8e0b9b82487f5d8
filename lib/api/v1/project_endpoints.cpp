// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/rbac/membership_registry.hpp>
#include <ecp/tenancy/registries.hpp>

#include "api/v1/naming.hpp"

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using tenancy::Project;
using tenancy::ProjectRegistry;

namespace {

void write_project(json::Writer& writer, const Project& project) {
  writer.begin_object().field("id", project.id.to_string());
  writer.field("organization", project.organization.to_string());
  writer.field("name", project.name).field("description", project.description);
  writer.field("created_at", to_rfc3339(project.created_at));
  writer.field("revision", to_number(project.revision)).end_object();
}

http::Response project_response(int status, const Project& project) {
  json::Writer writer;
  write_project(writer, project);
  return json_response(status, writer.take(), project.revision);
}

void add_one_project(Router& router, ProjectRegistry& projects) {
  const std::string one = "/api/v1/orgs/:org/projects/:project";
  router.add(
      {http::Method::get, one, &permissions::project_view,
       [&projects](const http::Request&, const access::Grant& grant) -> Result<http::Response> {
         ECP_TRY(const auto found, projects.get(grant, grant.scope()));
         return project_response(200, found);
       }});
  router.add({http::Method::patch, one, &permissions::project_edit,
              [&projects](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY(auto changes, naming_changes_from(request));
                ECP_TRY(const auto changed,
                        projects.update(grant, grant.scope(), revision, std::move(changes)));
                return project_response(200, changed);
              }});
  router.add({http::Method::del, one, &permissions::project_delete,
              [&projects](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(projects.remove(grant, grant.scope(), revision));
                return empty_response();
              }});
}

}  // namespace

void add_project_endpoints(Router& router, ProjectRegistry& projects,
                           rbac::MembershipRegistry& members) {
  const std::string all = "/api/v1/orgs/:org/projects";
  router.add({http::Method::get, all, nullptr,
              [&members](const http::Request& request,
                         const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto page, page_from(request));
                ECP_TRY(const auto found,
                        members.visible_projects(grant, grant.scope().organization, page));
                return json_response(200, json_list(found, write_project));
              }});
  router.add({http::Method::post, all, &permissions::project_create,
              [&projects](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(auto naming, naming_from(request));
                ECP_TRY(const auto made,
                        projects.create(grant, grant.scope().organization, std::move(naming)));
                return project_response(201, made);
              }});
  add_one_project(router, projects);
}

}  // namespace ecp::inline v0::api
