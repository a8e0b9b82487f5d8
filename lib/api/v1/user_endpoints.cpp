// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/v1/access_endpoints.hpp>

#include "api/v1/people.hpp"

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using access::UserId;
using identity::UserRegistry;

namespace {

Result<identity::UserChanges> user_changes_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  identity::UserChanges changes;
  ECP_TRY(changes.email, reader.optional_text("email", email_bounds));
  ECP_TRY(changes.name, reader.optional_text("name"));
  if (reader.has("enabled")) {
    ECP_TRY(changes.enabled, reader.boolean("enabled"));
  }
  ECP_TRY_VOID(reader.finish());
  return changes;
}

Result<identity::NewUser> new_user_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  ECP_TRY(auto user, read_new_user(body.reader()));
  ECP_TRY_VOID(body.reader().finish());
  return user;
}

void add_password_endpoint(Router& router, UserRegistry& users) {
  router.add({http::Method::post, "/api/v1/users/:user/password", &permissions::user_reset_password,
              [&users](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(auto body, body_of(request));
                ECP_TRY(const auto next, read_secret(body.reader(), "password", password_octets));
                ECP_TRY_VOID(body.reader().finish());
                ECP_TRY_VOID(users.reset_password(grant, id_of<UserId>(request, "user"), next));
                return empty_response();
              }});
}

}  // namespace

void add_user_endpoints(Router& router, UserRegistry& users) {
  const std::string all = "/api/v1/users";
  const std::string one = all + "/:user";
  router.add({http::Method::get, all, &permissions::user_view,
              [&users](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto page, page_from(request));
                ECP_TRY(const auto found, users.list(grant, page));
                return json_response(200, json_list(found, write_user));
              }});
  router.add({http::Method::post, all, &permissions::user_create,
              [&users](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(auto wanted, new_user_from(request));
                ECP_TRY(const auto user, users.create(grant, std::move(wanted)));
                return user_response(201, user);
              }});
  router.add({http::Method::get, one, &permissions::user_view,
              [&users](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto user, users.get(grant, id_of<UserId>(request, "user")));
                return user_response(200, user);
              }});
  router.add({http::Method::patch, one, &permissions::user_edit,
              [&users](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY(auto changes, user_changes_from(request));
                ECP_TRY(const auto user, users.update(grant, id_of<UserId>(request, "user"),
                                                      revision, std::move(changes)));
                return user_response(200, user);
              }});
  router.add({http::Method::del, one, &permissions::user_delete,
              [&users](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(users.remove(grant, id_of<UserId>(request, "user"), revision));
                return empty_response();
              }});
  add_password_endpoint(router, users);
}

}  // namespace ecp::inline v0::api
