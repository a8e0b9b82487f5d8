// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/enrollment.hpp>

#include <unistd.h>

#include <algorithm>

#include <ecp/agent/reasons.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/http/reasons.hpp>

#include "agent/identity.hpp"
#include "agent/server_call.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr std::string_view token_prefix = "ecpt_";
constexpr std::size_t token_secret = 43;  // Base64url of 32 octets.
constexpr std::string_view system_trust = "system";

Error bad_field(std::string_view field, std::string_view problem) {
  return {ecp::reasons::bad_field,
          {{"field", std::string(field)}, {"problem", std::string(problem)}}};
}

/// How the server must prove itself before it gets to see the token.
Result<http::ServerTrust> trust_of(std::string_view token, Time earliest) {
  const auto dot = token.find('.');
  if (!token.starts_with(token_prefix) || dot != token_prefix.size() + token_secret) {
    return reasons::bad_token;
  }
  http::ServerTrust trust;
  trust.earliest = earliest;
  const auto pin = token.substr(dot + 1);
  if (pin == system_trust) return trust;
  const auto octets = from_hex(pin);
  Sha256 digest{};
  if (!octets || octets->size() != digest.size()) return reasons::bad_token;
  std::copy(octets->begin(), octets->end(), digest.begin());
  trust.root_pin = digest;
  return trust;
}

Result<void> check_request(const EnrollmentRequest& request) {
  ECP_TRY(const auto url, http::parse_url(request.url));
  if (url.scheme != "https") return bad_field("url", "must begin with https://");
  if (url.path != "/") return bad_field("url", "must end after host and port");
  if (request.name.empty() || !is_clean_utf8(request.name)) {
    return bad_field("name", "must be 1 to 50 characters of UTF-8");
  }
  return {};
}

/// Say what to do about the failures that a person at the gateway can cure.
Error explain(Error error, const std::string& url) {
  if (error.is(http::reasons::untrusted_server)) {
    return std::move(error).within(
        "the token was not sent: " + url +
        " does not show the root that the token names; check the URL, the clock, and that the "
        "token is of this control plane");
  }
  return std::move(error).within("enrolling at " + url);
}

}  // namespace

Result<link::LinkDocument> enroll(const EnrollmentRequest& request, const Secret& token,
                                  http::Client& client, Env env) {
  ECP_TRY_VOID(check_request(request));
  ServerRoute route;
  const AgentFiles files{request.data_folder};
  ECP_TRY(route.trust, trust_of(token.view(), earliest_time(files)));
  route.urls.push_back(request.url.ends_with('/') ? request.url.substr(0, request.url.size() - 1)
                                                  : request.url);
  ECP_TRY_VOID(make_private_folder(request.data_folder));
  if (has_identity(files)) return Error(reasons::already_enrolled, {{"folder", files.folder}});
  ECP_TRY(const auto key, keep_new_key(files));
  ECP_TRY(const auto csr, pki::make_csr(key, "agent"));  // The server chooses the name.
  json::Writer body;
  body.begin_object().field("token", token.view()).field("csr", csr);
  body.field("name", request.name).end_object();
  auto answer = post(client, route, "/agent/v1/enroll", body.take());
  if (!answer) return explain(std::move(answer).error(), request.url);
  ECP_TRY(auto document, accept_certificate(files, *answer, key, nullptr));
  env.log.info("agent", "enrolled", {{"agent", document.agent.to_string()}});
  return document;
}

}  // namespace ecp::inline v0::agent
