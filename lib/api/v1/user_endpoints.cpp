// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/v1/access_endpoints.hpp>

#include "api/v1/people.hpp"

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using access::UserId;

namespace {

Result<identity::UserChanges> changes_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  identity::UserChanges changes;
  ECP_TRY(changes.email, reader.optional_text("email", {3, limits::email_length}));
  ECP_TRY(changes.name, reader.optional_text("name"));
  if (reader.has("enabled")) {
    ECP_TRY(changes.enabled, reader.boolean("enabled"));
  }
  ECP_TRY_VOID(reader.finish());
  return changes;
}

void add_one_user(Router& router, identity::UserRegistry& users) {
  const std::string one = "/api/v1/users/:user";
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
                ECP_TRY(auto changes, changes_from(request));
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
  router.add({http::Method::post, one + "/password", &permissions::user_reset_password,
              [&users](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(auto body, body_of(request));
                ECP_TRY(const auto next, secret_from(body.reader(), "password"));
                ECP_TRY_VOID(body.reader().finish());
                ECP_TRY_VOID(users.reset_password(grant, id_of<UserId>(request, "user"), next));
                return empty_response();
              }});
}

}  // namespace

void add_user_endpoints(Router& router, identity::UserRegistry& users) {
  const std::string all = "/api/v1/users";
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
                ECP_TRY(auto body, body_of(request));
                ECP_TRY(auto wanted, new_user_from(body.reader()));
                ECP_TRY_VOID(body.reader().finish());
                ECP_TRY(const auto user, users.create(grant, std::move(wanted)));
                return user_response(201, user);
              }});
  add_one_user(router, users);
}

}  // namespace ecp::inline v0::api
