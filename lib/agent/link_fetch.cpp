// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/enrollment.hpp>
#include <ecp/agent/reasons.hpp>
#include <ecp/core/limits.hpp>

#include "agent/identity.hpp"
#include "agent/server_call.hpp"

namespace ecp::inline v0::agent {

Result<link::LinkDocument> fetch_link_document(const AgentFiles& files,
                                               const link::LinkDocument& known,
                                               http::Client& client) {
  ECP_TRY(const auto identity, load_identity(files));
  const auto route = route_of(files, identity, known, Showing::certificate);
  ECP_TRY(const auto text, get(client, route, "/agent/v1/link", limits::link_document));
  auto document = link::parse_link_document(text);
  if (!document) {
    return Error(reasons::bad_server_answer, {{"problem", document.error().message()}});
  }
  if (document->agent != identity.agent) {
    return Error(
        reasons::bad_server_answer,
        {{"problem", "it is for " + document->agent.to_string() + ", not for this agent"}});
  }
  ECP_TRY_VOID(keep_link_document(files, *document));
  return document;
}

Result<std::string> fetch_resource(const AgentFiles& files, const link::LinkDocument& known,
                                   http::Client& client, std::string_view sha256_text) {
  ECP_TRY(const auto identity, load_identity(files));
  const auto route = route_of(files, identity, known, Showing::certificate);
  const std::string hash(sha256_text);
  ECP_TRY(auto body, get(client, route, "/agent/v1/resources/" + hash, limits::resource_body));
  if (to_hex(sha256(body)) != hash) return Error(reasons::wrong_body, {{"name", hash}});
  return body;
}

}  // namespace ecp::inline v0::agent
