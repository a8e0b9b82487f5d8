// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The HTTP server port and its Boost.Beast adapter's open function.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/http/message.hpp>

namespace ecp::inline v0::http {

/// Certificate chain and key of the server, and who may show a client certificate.
struct ServerTls {
  std::string certificate_chain_pem;
  Secret key_pem;
  /// Client certificates are requested, never required, and verified against these alone; empty:
  /// not requested.
  std::string client_ca_pem;
};

struct ServerOptions {
  std::string address = "127.0.0.1";
  std::uint16_t port = 0;        ///< 0: any free port.
  std::optional<ServerTls> tls;  ///< None: plain HTTP, which is refused on other than loopback.
  unsigned threads = 1;
  Milliseconds read_timeout{30'000};   ///< For one whole request, and idle keep-alive.
  Milliseconds write_timeout{30'000};  ///< For the peer to take what was queued.
};

/// Accepts connections and hands complete requests to one handler on the workers.
///
/// Thread safety: any thread.
/// Errors: `open` fails with `unavailable` (http.listen_failed, naming address and problem).
/// Limits: header lines 431, target 414, body 413, unknown methods 501, slow requests 408; each
///   answers the one error body and closes.
class ECP_EXPORT Server {
 public:
  virtual ~Server();
  [[nodiscard]] virtual std::uint16_t port() const noexcept = 0;
  /// Use another certificate for new connections.
  virtual Result<void> set_tls(const ServerTls& tls) = 0;
  /// Stop accepting, let running requests finish until the deadline, close streams, then close all.
  virtual void stop(Milliseconds deadline) noexcept = 0;
};

[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Server>> open_server(ServerOptions options,
                                                                     Handler handler,
                                                                     const Env& env);

}  // namespace ecp::http
