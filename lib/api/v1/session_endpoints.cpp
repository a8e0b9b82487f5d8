// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/identity/session_registry.hpp>
#include <ecp/rbac/membership_registry.hpp>

#include "api/v1/people.hpp"

namespace ecp::inline v0::api {

using identity::SessionRegistry;
using identity::SessionTokens;

namespace {

constexpr const char* session_path = "/api/v1/session";

std::int64_t seconds(Milliseconds interval) {
  return std::chrono::duration_cast<std::chrono::seconds>(interval).count();
}

http::Response tokens_response(const SessionTokens& tokens) {
  json::Writer writer;
  writer.begin_object().field("access_token", tokens.access_token.view());
  writer.field("expires_in", seconds(tokens.access_expires_at - tokens.issued_at));
  writer.field("refresh_token", tokens.refresh_token.view());
  writer.field("refresh_expires_in", seconds(tokens.refresh_expires_at - tokens.issued_at));
  writer.key("user");
  write_user(writer, tokens.user);
  writer.end_object();
  return json_response(201, writer.take());
}

http::Response session_response(const identity::User& user,
                                const std::vector<rbac::OwnPlace>& places) {
  json::Writer writer;
  writer.begin_object().key("user");
  write_user(writer, user);
  writer.key("roles").begin_array();
  for (const auto& place : places) {
    writer.begin_object().field("role", to_string(place.role));
    writer.field("organization", text_or_none(place.scope.organization));
    writer.field("organization_name", place.organization);
    writer.field("project", text_or_none(place.scope.project));
    writer.field("project_name", place.project).end_object();
  }
  writer.end_array().end_object();
  return json_response(200, writer.take());
}

/// The one member of a body that is a proof by itself.
Result<Secret> proof_from(const http::Request& request, std::string_view name) {
  ECP_TRY(auto body, body_of(request));
  ECP_TRY(auto proof, read_secret(body.reader(), name, proof_octets));
  ECP_TRY_VOID(body.reader().finish());
  return proof;
}

void add_log_in(Router& router, SessionRegistry& sessions) {
  router.add_public({http::Method::post, session_path,
                     [&sessions](const http::Request& request) -> Result<http::Response> {
                       ECP_TRY(auto body, body_of(request));
                       auto& reader = body.reader();
                       ECP_TRY(const auto email, reader.text("email", email_bounds));
                       ECP_TRY(const auto password,
                               read_secret(reader, "password", password_octets));
                       ECP_TRY_VOID(reader.finish());
                       ECP_TRY(const auto tokens,
                               sessions.log_in(email, password, origin_of(request)));
                       return tokens_response(tokens);
                     }});
  router.add_public({http::Method::post, std::string(session_path) + "/link",
                     [&sessions](const http::Request& request) -> Result<http::Response> {
                       ECP_TRY(const auto code, proof_from(request, "code"));
                       ECP_TRY(const auto tokens,
                               sessions.log_in_by_link(code, origin_of(request)));
                       return tokens_response(tokens);
                     }});
  router.add_public({http::Method::post, std::string(session_path) + "/refresh",
                     [&sessions](const http::Request& request) -> Result<http::Response> {
                       ECP_TRY(const auto token, proof_from(request, "refresh_token"));
                       ECP_TRY(const auto tokens, sessions.refresh(token, origin_of(request)));
                       return tokens_response(tokens);
                     }});
}

}  // namespace

void add_session_endpoints(Router& router, SessionRegistry& sessions,
                           identity::UserRegistry& users, rbac::MembershipRegistry& members) {
  add_log_in(router, sessions);
  router.add({http::Method::get, session_path, nullptr,
              [&users, &members](const http::Request&,
                                 const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto user, users.own(grant));
                ECP_TRY(const auto places, members.own_places(grant));
                return session_response(user, places);
              }});
  router.add(
      {http::Method::del, session_path, nullptr,
       [&sessions](const http::Request& request, const access::Grant&) -> Result<http::Response> {
         ECP_TRY_VOID(sessions.log_out(bearer_token(request), origin_of(request)));
         return empty_response();
       }});
  router.add({http::Method::put, std::string(session_path) + "/password", nullptr,
              [&sessions](const http::Request& request,
                          const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(auto body, body_of(request));
                auto& reader = body.reader();
                ECP_TRY(const auto current, read_secret(reader, "current", password_octets));
                ECP_TRY(const auto next, read_secret(reader, "next", password_octets));
                ECP_TRY_VOID(reader.finish());
                ECP_TRY_VOID(sessions.change_password(grant, current, next));
                return empty_response();
              }});
}

}  // namespace ecp::inline v0::api
