// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/reasons.hpp>

#include "api/v1/people.hpp"

namespace ecp::inline v0::api {
namespace {

constexpr std::size_t max_pem = 16 * kibibyte;
constexpr std::size_t max_token = 256;
constexpr std::size_t max_nonce = 512;
constexpr std::size_t max_signature = 256;

using Answer = Result<http::Response>;

/// The edge node whose certificate the TLS layer verified; the plane's own judgement comes on top.
Result<fleet::EdgeNodeId> agent_of(fleet::Enrollment& enrollment, const http::Request& request) {
  if (!request.client_name) return fleet::reasons::certificate_missing;
  return enrollment.authenticate(request.client_certificate);
}

Answer enroll(fleet::Enrollment& enrollment, const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  ECP_TRY(const auto token, secret_from(reader, "token", max_token));
  ECP_TRY(const auto csr, reader.raw_text("csr", max_pem));
  ECP_TRY(const auto name, reader.text("name"));
  ECP_TRY_VOID(reader.finish());
  ECP_TRY(const auto answer, enrollment.enroll(token.view(), csr, name, origin_of(request)));
  return json_response(201, fleet::to_json(answer));
}

Answer renew(fleet::Enrollment& enrollment, const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  fleet::RenewalRequest wanted;
  ECP_TRY(wanted.certificate_pem, reader.raw_text("certificate", max_pem));
  ECP_TRY(wanted.csr_pem, reader.raw_text("csr", max_pem));
  ECP_TRY(wanted.nonce, reader.raw_text("nonce", max_nonce));
  ECP_TRY(const auto signature, reader.raw_text("signature", max_signature));
  ECP_TRY_VOID(reader.finish());
  auto octets = from_base64(signature);
  if (!octets) return reader.bad("signature", "is not base64");
  wanted.signature = std::move(*octets);
  ECP_TRY(const auto answer, enrollment.renew(wanted, origin_of(request)));
  return json_response(200, fleet::to_json(answer));
}

Answer resource(fleet::Enrollment& enrollment, fleet::DesiredEngine& desired,
                const http::Request& request) {
  ECP_TRY(const auto agent, agent_of(enrollment, request));
  ECP_TRY(auto body, desired.resource(agent, request.parameter("sha256")));
  http::Response response;
  response.headers.set("Content-Type", "application/octet-stream");
  response.body = std::move(body);
  return response;
}

}  // namespace

void add_agent_link_endpoints(Router& router, fleet::Enrollment& enrollment,
                              fleet::DesiredEngine& desired) {
  router.add_public(
      {http::Method::post, "/agent/v1/enroll",
       [&enrollment](const http::Request& request) { return enroll(enrollment, request); }});
  router.add_public(
      {http::Method::get, "/agent/v1/nonce", [&enrollment](const http::Request&) -> Answer {
         json::Writer writer;
         writer.begin_object().field("nonce", enrollment.nonce()).end_object();
         return json_response(200, writer.take());
       }});
  router.add_public(
      {http::Method::post, "/agent/v1/renew",
       [&enrollment](const http::Request& request) { return renew(enrollment, request); }});
  router.add_public(
      {http::Method::get, "/agent/v1/link", [&enrollment](const http::Request& request) -> Answer {
         ECP_TRY(const auto agent, agent_of(enrollment, request));
         ECP_TRY(const auto document, enrollment.link_document(agent));
         return json_response(200, link::to_json(document));
       }});
  router.add_public({http::Method::get, "/agent/v1/resources/:sha256",
                     [&enrollment, &desired](const http::Request& request) {
                       return resource(enrollment, desired, request);
                     }});
}

}  // namespace ecp::inline v0::api
