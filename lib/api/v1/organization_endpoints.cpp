// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/rbac/membership_registry.hpp>
#include <ecp/tenancy/registries.hpp>

#include "api/v1/naming.hpp"

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using tenancy::Organization;
using tenancy::OrganizationRegistry;

namespace {

void write_organization(json::Writer& writer, const Organization& organization) {
  writer.begin_object().field("id", organization.id.to_string());
  writer.field("name", organization.name).field("description", organization.description);
  writer.field("created_at", to_rfc3339(organization.created_at));
  writer.field("revision", to_number(organization.revision)).end_object();
}

http::Response organization_response(int status, const Organization& organization) {
  json::Writer writer;
  write_organization(writer, organization);
  return json_response(status, writer.take(), organization.revision);
}

void add_one_organization(Router& router, OrganizationRegistry& organizations) {
  const std::string one = "/api/v1/orgs/:org";
  router.add({http::Method::get, one, &permissions::organization_view,
              [&organizations](const http::Request&,
                               const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto found, organizations.get(grant, grant.scope().organization));
                return organization_response(200, found);
              }});
  router.add({http::Method::patch, one, &permissions::organization_edit,
              [&organizations](const http::Request& request,
                               const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY(auto changes, naming_changes_from(request));
                ECP_TRY(const auto changed, organizations.update(grant, grant.scope().organization,
                                                                 revision, std::move(changes)));
                return organization_response(200, changed);
              }});
  router.add({http::Method::del, one, &permissions::organization_delete,
              [&organizations](const http::Request& request,
                               const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(organizations.remove(grant, grant.scope().organization, revision));
                return empty_response();
              }});
}

}  // namespace

void add_organization_endpoints(Router& router, OrganizationRegistry& organizations,
                                rbac::MembershipRegistry& members) {
  const std::string all = "/api/v1/orgs";
  router.add({http::Method::get, all, nullptr,
              [&members](const http::Request& request,
                         const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto page, page_from(request));
                ECP_TRY(const auto found, members.visible_organizations(grant, page));
                return json_response(200, json_list(found, write_organization));
              }});
  router.add({http::Method::post, all, &permissions::organization_create,
              [&organizations](const http::Request& request,
                               const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(auto naming, naming_from(request));
                ECP_TRY(const auto made, organizations.create(grant, std::move(naming)));
                return organization_response(201, made);
              }});
  add_one_organization(router, organizations);
}

}  // namespace ecp::inline v0::api
