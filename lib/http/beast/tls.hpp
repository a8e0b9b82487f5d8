// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// TLS contexts of the server and what a client certificate says.

#include <memory>
#include <optional>
#include <string>

#include <ecp/core/result.hpp>
#include <ecp/http/server.hpp>

#include "http/beast/beast.hpp"

namespace ecp::inline v0::http::beast {

/// Make a context: TLS 1.2 or later, no renegotiation, no resumption. Fails with http.bad_tls.
[[nodiscard]] Result<std::shared_ptr<net::ssl::context>> make_context(const ServerTls& tls);

struct PeerCertificate {
  std::string common_name;
  Bytes der;
};
/// The certificate the peer showed, when it was verified.
[[nodiscard]] std::optional<PeerCertificate> peer_certificate(SSL* connection);

}  // namespace ecp::inline v0::http::beast
