// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/rbac/membership_registry.hpp>

#include "api/v1/naming.hpp"

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using access::OrganizationId;
using tenancy::Organization;
using tenancy::OrganizationRegistry;

namespace {

void write_organization(json::Writer& writer, const Organization& organization) {
  writer.begin_object().field("id", organization.id.to_string()).field("name", organization.name);
  writer.field("description", organization.description);
  writer.field("created_at", to_rfc3339(organization.created_at));
  writer.field("revision", to_number(organization.revision)).end_object();
}

http::Response organization_response(int status, const Organization& organization) {
  json::Writer writer;
  write_organization(writer, organization);
  return json_response(status, writer.take(), organization.revision);
}

/// What is not in the body stays. Whoever changed it in between raised the revision, so that the
/// update is refused.
Result<Organization> update(OrganizationRegistry& organizations, const http::Request& request,
                            const access::Grant& grant) {
  const auto id = id_of<OrganizationId>(request, "org");
  ECP_TRY(const auto revision, if_match(request));
  ECP_TRY(const auto before, organizations.get(grant, id));
  ECP_TRY(auto naming, naming_from(request, {before.name, before.description}));
  return organizations.update(grant, id, revision, std::move(naming));
}

}  // namespace

void add_organization_endpoints(Router& router, OrganizationRegistry& organizations,
                                rbac::MembershipRegistry& members) {
  const std::string all = "/api/v1/orgs";
  const std::string one = all + "/:org";
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
                ECP_TRY(const auto organization, organizations.create(grant, std::move(naming)));
                return organization_response(201, organization);
              }});
  router.add({http::Method::get, one, &permissions::organization_view,
              [&organizations](const http::Request& request,
                               const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto organization,
                        organizations.get(grant, id_of<OrganizationId>(request, "org")));
                return organization_response(200, organization);
              }});
  router.add({http::Method::patch, one, &permissions::organization_edit,
              [&organizations](const http::Request& request,
                               const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto organization, update(organizations, request, grant));
                return organization_response(200, organization);
              }});
  router.add({http::Method::del, one, nullptr,  // The permission is one on the platform.
              [&organizations](const http::Request& request,
                               const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(organizations.remove(grant, id_of<OrganizationId>(request, "org"),
                                                  revision));
                return empty_response();
              }});
}

}  // namespace ecp::inline v0::api
