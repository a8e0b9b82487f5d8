// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/fleet/enrollment_token.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using fleet::EnrollmentToken;
using fleet::EnrollmentTokenRegistry;

namespace {

constexpr std::int64_t day_s = 86'400;

void write_members(json::Writer& writer, const EnrollmentToken& token) {
  writer.field("id", token.id.to_string()).field("name", token.name);
  writer.field("uses", token.uses).field("used", token.used);
  writer.field("expires_at", to_rfc3339(token.expires_at));
  writer.field("created_at", to_rfc3339(token.created_at));
  writer.field("revision", to_number(token.revision));
}

void write_token(json::Writer& writer, const EnrollmentToken& token) {
  writer.begin_object();
  write_members(writer, token);
  writer.end_object();
}

Result<EnrollmentTokenRegistry::NewToken> new_token_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  EnrollmentTokenRegistry::NewToken wanted;
  ECP_TRY(wanted.name, reader.text("name"));
  ECP_TRY(wanted.uses, reader.integer_or("uses", 1, 1,
                                         static_cast<std::int64_t>(limits::enrollment_token_uses)));
  ECP_TRY(const auto seconds, reader.integer_or("expires_in_s", day_s, 60, day_s));
  wanted.expires_in = Milliseconds(seconds * 1'000);
  ECP_TRY_VOID(reader.finish());
  return wanted;
}

}  // namespace

void add_enrollment_endpoints(Router& router, EnrollmentTokenRegistry& tokens) {
  using Answer = Result<http::Response>;
  const std::string list = "/api/v1/orgs/:org/projects/:project/enrollment-tokens";
  router.add({http::Method::get, list, &permissions::enrollment_token_view,
              [&tokens](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto page, page_from(request));
                ECP_TRY(const auto found, tokens.list(grant, page));
                return json_response(200, json_list(found, write_token));
              }});
  router.add({http::Method::post, list, &permissions::enrollment_token_edit,
              [&tokens](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto wanted, new_token_from(request));
                ECP_TRY(const auto created, tokens.create(grant, wanted));
                json::Writer writer;
                writer.begin_object();
                write_members(writer, created.token);
                writer.field("token", created.text.view()).end_object();
                return json_response(201, writer.take());
              }});
  router.add({http::Method::del, list + "/:token", &permissions::enrollment_token_edit,
              [&tokens](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY_VOID(
                    tokens.remove(grant, id_of<fleet::EnrollmentTokenId>(request, "token")));
                return empty_response();
              }});
}

}  // namespace ecp::inline v0::api
