// SPDX-License-Identifier: Apache-2.0
#include "agent/server_call.hpp"

#include <ecp/agent/reasons.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/http/reasons.hpp>

#include "core/text.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr std::size_t longest_message = 500;

/// What the one error body says, or the bare status.
std::string message_of(const http::ClientResponse& response) {
  const auto document = json::Document::parse(response.body);
  if (document) {
    const auto message = document->root().find("message");
    if (message && is_clean_utf8(message->get_string())) {
      return text::clip(message->get_string(), longest_message);
    }
  }
  return "without a message";
}

Result<Bytes> judge(http::ClientResponse response) {
  if (response.status >= 200 && response.status < 300) return std::move(response.body);
  const auto status = std::to_string(response.status);
  if (response.status >= 500 || response.status == 429) {
    return Error(reasons::bad_server_answer,
                 {{"problem", "status " + status + ", " + message_of(response)}});
  }
  return Error(reasons::server_refused, {{"status", status}, {"message", message_of(response)}});
}

Result<Bytes> call(http::Client& client, const ServerRoute& route, std::string_view path,
                   http::ClientRequest request) {
  request.addresses.private_networks = true;  // Plants are private networks.
  request.trust = route.trust;
  request.identity = route.identity;
  Result<Bytes> outcome = Error(reasons::bad_server_answer, {{"problem", "no URL is known"}});
  for (const auto& url : route.urls) {
    request.url = url + std::string(path);
    auto response = client.call(request);
    outcome = response ? judge(std::move(*response)) : std::move(response).error();
    if (outcome || outcome.error().is(reasons::server_refused)) return outcome;
  }
  return outcome;
}

}  // namespace

ServerRoute route_of(const AgentFiles& files, const Identity& identity,
                     const link::LinkDocument& known, Showing showing) {
  ServerRoute route;
  route.urls = known.https_urls;
  route.trust.ca_pem = known.trust_roots_pem;
  route.trust.earliest = earliest_time(files);
  if (showing == Showing::certificate) {
    route.identity = http::ClientIdentity{identity.chain_pem, files.identity()};
  }
  return route;
}

Result<Bytes> get(http::Client& client, const ServerRoute& route, std::string_view path,
                  std::size_t max_answer) {
  http::ClientRequest request;
  request.max_response = max_answer;
  return call(client, route, path, std::move(request));
}

Result<Bytes> post(http::Client& client, const ServerRoute& route, std::string_view path,
                   Bytes json) {
  http::ClientRequest request;
  request.method = http::Method::post;
  request.headers.add("Content-Type", "application/json");
  request.body = std::move(json);
  return call(client, route, path, std::move(request));
}

}  // namespace ecp::inline v0::agent
