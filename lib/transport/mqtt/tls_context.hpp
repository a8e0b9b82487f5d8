// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a client's TLS must be, as an OpenSSL context that libmosquitto uses as it is.
///
/// libmosquitto 2.0 checks the server's name in a callback that works only in a context of its own
/// making, and such a context always judges by the system's clock. So the whole context is ours.

#include <memory>
#include <string>

#include <openssl/ssl.h>

#include <ecp/core/result.hpp>
#include <ecp/transport/mqtt.hpp>

namespace ecp::inline v0::transport {

struct TlsContextDeleter {
  void operator()(SSL_CTX* context) const noexcept { SSL_CTX_free(context); }
};
using TlsContext = std::unique_ptr<SSL_CTX, TlsContextDeleter>;

/// TLS 1.2 or newer to a server whose chain ends in one of the roots and whose certificate names
/// `host` (a DNS name or an address) among its alternative names. The certificates are judged at
/// `now` or `tls.earliest`, whichever is later.
///
/// When a server is not trusted, `verdict` gets OpenSSL's reason; it must live as long as any
/// handshake with this context. Fails with transport.bad_options when a file cannot be used.
[[nodiscard]] Result<TlsContext> make_tls_context(const MqttTls& tls, const std::string& host,
                                                  Time now, std::string& verdict);

}  // namespace ecp::inline v0::transport
