// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/rbac/membership_registry.hpp>

#include "api/v1/people.hpp"

namespace ecp::inline v0::api {
namespace {

using identity::SessionRegistry;
using identity::SessionTokens;

std::int64_t seconds_until(Time end, Time now) {
  return std::chrono::duration_cast<std::chrono::seconds>(end - now).count();
}

http::Response tokens_response(const SessionTokens& tokens) {
  json::Writer writer;
  writer.begin_object().field("access_token", tokens.access_token.view());
  writer.field("expires_in", seconds_until(tokens.access_expires_at, tokens.issued_at));
  writer.field("refresh_token", tokens.refresh_token.view());
  writer.field("refresh_expires_in", seconds_until(tokens.refresh_expires_at, tokens.issued_at));
  writer.key("user");
  write_user(writer, tokens.user);
  writer.end_object();
  return json_response(201, writer.take());
}

void write_place(json::Writer& writer, const rbac::OwnPlace& place) {
  const auto& scope = place.scope;
  writer.begin_object().key("organization");
  if (scope.organization.is_nil()) {
    writer.null();
  } else {
    writer.value(scope.organization.to_string());
  }
  writer.field("organization_name", place.organization).key("project");
  if (scope.project.is_nil()) {
    writer.null();
  } else {
    writer.value(scope.project.to_string());
  }
  writer.field("project_name", place.project);
  writer.field("role", rbac::to_string(place.role)).end_object();
}

http::Response session_response(const identity::User& user,
                                const std::vector<rbac::OwnPlace>& places) {
  json::Writer writer;
  writer.begin_object().key("user");
  write_user(writer, user);
  writer.key("roles").begin_array();
  for (const auto& place : places) write_place(writer, place);
  writer.end_array().end_object();
  return json_response(200, writer.take());
}

/// A public row whose body is one secret that is exchanged for tokens.
using Exchange = Result<SessionTokens> (SessionRegistry::*)(const Secret&, const access::Origin&);
void add_exchange(Router& router, SessionRegistry& sessions, const std::string& path,
                  const std::string& member, Exchange exchange) {
  router.add_public(
      {http::Method::post, path,
       [&sessions, member, exchange](const http::Request& request) -> Result<http::Response> {
         ECP_TRY(auto body, body_of(request));
         ECP_TRY(const auto secret, secret_from(body.reader(), member));
         ECP_TRY_VOID(body.reader().finish());
         ECP_TRY(const auto tokens, (sessions.*exchange)(secret, origin_of(request)));
         return tokens_response(tokens);
       }});
}

void add_log_in(Router& router, SessionRegistry& sessions) {
  router.add_public(
      {http::Method::post, "/api/v1/session",
       [&sessions](const http::Request& request) -> Result<http::Response> {
         ECP_TRY(auto body, body_of(request));
         ECP_TRY(const auto email, body.reader().raw_text("email", limits::email_length));
         ECP_TRY(const auto password, secret_from(body.reader(), "password"));
         ECP_TRY_VOID(body.reader().finish());
         ECP_TRY(const auto tokens, sessions.log_in(email, password, origin_of(request)));
         return tokens_response(tokens);
       }});
  add_exchange(router, sessions, "/api/v1/session/refresh", "refresh_token",
               &SessionRegistry::refresh);
  add_exchange(router, sessions, "/api/v1/session/link", "code", &SessionRegistry::log_in_by_link);
}

}  // namespace

void add_session_endpoints(Router& router, SessionRegistry& sessions, identity::UserRegistry& users,
                           rbac::MembershipRegistry& members) {
  add_log_in(router, sessions);
  router.add({http::Method::get, "/api/v1/session", nullptr,
              [&users, &members](const http::Request& request,
                                 const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY_VOID(only_queries(request, {}));
                ECP_TRY(const auto user, users.own(grant));
                ECP_TRY(const auto places, members.own_places(grant));
                return session_response(user, places);
              }});
  router.add(
      {http::Method::del, "/api/v1/session", nullptr,
       [&sessions](const http::Request& request, const access::Grant&) -> Result<http::Response> {
         ECP_TRY_VOID(sessions.log_out(bearer_token(request), origin_of(request)));
         return empty_response();
       }});
  router.add({http::Method::put, "/api/v1/session/password", nullptr,
              [&sessions](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(auto body, body_of(request));
                ECP_TRY(const auto current, secret_from(body.reader(), "current"));
                ECP_TRY(const auto next, secret_from(body.reader(), "next"));
                ECP_TRY_VOID(body.reader().finish());
                ECP_TRY_VOID(sessions.change_password(grant, current, next));
                return empty_response();
              }});
}

}  // namespace ecp::inline v0::api
