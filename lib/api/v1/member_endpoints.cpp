// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/rbac/membership_registry.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using access::UserId;

namespace {

void write_member(json::Writer& writer, const rbac::Member& member) {
  writer.begin_object().field("user", member.user.id.to_string());
  writer.field("email", member.user.email).field("name", member.user.name);
  writer.field("role", rbac::to_string(member.role));
  writer.field("created_at", to_rfc3339(member.since)).end_object();
}

/// Who shall get which role; `user` is an id or, for those who may not list users, an address.
Result<rbac::Member> put_member(rbac::MembershipRegistry& members, const http::Request& request,
                                const access::Grant& grant) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  ECP_TRY(const auto who, reader.text("user", {3, limits::email_length}));
  ECP_TRY(const auto word, reader.text("role"));
  ECP_TRY_VOID(reader.finish());
  ECP_TRY(const auto role, rbac::role_from(word));
  if (who.find('@') != std::string::npos) {
    return members.put_by_email(grant, grant.scope(), who, role);
  }
  const auto id = UserId::parse(who);
  return members.put(grant, grant.scope(), id ? *id : UserId(unknown_id), role);
}

/// The rows of one level; their scope is that of the path's `:org` and `:project`.
void add_level(Router& router, const std::string& path, rbac::MembershipRegistry& members) {
  router.add({http::Method::get, path, &permissions::member_view,
              [&members](const http::Request& request,
                         const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto page, page_from(request));
                ECP_TRY(const auto found, members.list(grant, grant.scope(), page));
                return json_response(200, json_list(found, write_member));
              }});
  router.add({http::Method::post, path, &permissions::member_edit,
              [&members](const http::Request& request,
                         const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto member, put_member(members, request, grant));
                json::Writer writer;
                write_member(writer, member);
                return json_response(201, writer.take());
              }});
  router.add({http::Method::del, path + "/:user", &permissions::member_edit,
              [&members](const http::Request& request,
                         const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY_VOID(members.remove(grant, grant.scope(), id_of<UserId>(request, "user")));
                return empty_response();
              }});
}

}  // namespace

void add_member_endpoints(Router& router, rbac::MembershipRegistry& members) {
  add_level(router, "/api/v1/members", members);
  add_level(router, "/api/v1/orgs/:org/members", members);
  add_level(router, "/api/v1/orgs/:org/projects/:project/members", members);
}

}  // namespace ecp::inline v0::api
