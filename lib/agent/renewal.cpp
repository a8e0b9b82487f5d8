// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/enrollment.hpp>
#include <ecp/agent/reasons.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>

#include <unistd.h>

#include "agent/identity.hpp"
#include "agent/server_call.hpp"

namespace ecp::inline v0::agent {
namespace {

/// In front of what the old key signs: this, the nonce, the request.
constexpr std::string_view signature_context = "ecp-renew-v1";
constexpr std::size_t nonce_length = 512;

Result<std::string> fetch_nonce(http::Client& client, const ServerRoute& route) {
  ECP_TRY(const auto text, get(client, route, "/agent/v1/nonce", limits::link_document));
  ECP_TRY(auto document, json::ObjectDocument::parse(text));
  return document.reader().text("nonce", {1, nonce_length});
}

/// A key kept for the next certificate, which must not be the one in use: that is left over when
/// the program ended right after a renewal.
Result<Secret> next_key(const AgentFiles& files, const Identity& identity) {
  ECP_TRY(auto key, keep_new_key(files));
  ECP_TRY(const auto digest, pki::public_key_digest(key));
  if (digest != identity.facts.public_key) return key;
  ::unlink(files.new_key().c_str());
  return keep_new_key(files);
}

Result<Bytes> request_body(const Identity& identity, const Secret& new_key,
                           const std::string& nonce) {
  ECP_TRY(const auto csr, pki::make_csr(new_key, identity.agent.to_string()));
  ECP_TRY(const auto signature,
          pki::sign_with_key(identity.key_pem, std::string(signature_context) + nonce + csr));
  json::Writer body;
  body.begin_object().field("certificate", identity.chain_pem).field("csr", csr);
  body.field("nonce", nonce).field("signature", to_base64(signature)).end_object();
  return body.take();
}

}  // namespace

/// Anonymous, because a certificate that is over would end the handshake; the signature is the
/// proof.
Result<link::LinkDocument> renew(const AgentFiles& files, const link::LinkDocument& known,
                                 http::Client& client) {
  ECP_TRY(const auto identity, load_identity(files));
  const auto route = route_of(files, identity, known, Showing::anonymous);
  ECP_TRY(const auto nonce, fetch_nonce(client, route));
  ECP_TRY(const auto key, next_key(files, identity));
  ECP_TRY(auto body, request_body(identity, key, nonce));
  ECP_TRY(const auto answer, post(client, route, "/agent/v1/renew", std::move(body)));
  return accept_certificate(files, answer, key, &identity.agent);
}

}  // namespace ecp::inline v0::agent
