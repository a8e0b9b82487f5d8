// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The port for every outgoing HTTP call, and its libcurl adapter's open function.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/http/message.hpp>

namespace ecp::inline v0::http {

/// Which addresses a URL may lead to.
struct AddressPolicy {
  /// False: loopback, link-local, private, multicast and unspecified addresses are refused, after
  /// each resolution; the connection goes to the very address that was judged (pinned).
  bool private_networks = false;
  /// "127.0.0.1:9000": host (literal address) and port that are allowed all the same.
  std::vector<std::string> allowed;
};

/// How to recognise the server.
struct ServerTrust {
  std::string ca_pem;  ///< Empty: the system's store.
  /// Instead of a CA: the SHA-256 of the DER of the root or leaf the chain must end in or begin
  /// with (enrollment's first contact). The server must show that certificate; host name, times and
  /// purposes are checked as always.
  std::optional<Sha256> root_pin;
  /// Certificates are judged at this time while the clock shows an earlier one.
  Time earliest{};
};

/// Certificate that we show.
struct ClientIdentity {
  std::string certificate_chain_pem;
  std::string key_pem_path;  ///< File of mode 0600.
};

struct ClientRequest {
  Method method = Method::get;
  std::string url;  ///< http or https only.
  Headers headers;
  Bytes body;
  Milliseconds timeout{10'000};
  std::size_t max_response = limits::http_response_read;
  AddressPolicy addresses;
  ServerTrust trust;
  std::optional<ClientIdentity> identity;
};

struct ClientResponse {
  int status = 0;
  Headers headers;
  Bytes body;
};

/// Makes HTTP calls. Redirects are never followed.
///
/// Thread safety: any thread. `call` blocks: workers or an own thread only.
/// Errors: `unavailable` (http.unreachable), `timeout`, `resource_exhausted` for an answer over its
///   bound, `permission_denied` (http.address_refused) by the address policy, `unauthenticated`
///   (http.untrusted_server) when TLS verification fails.
class ECP_EXPORT Client {
 public:
  virtual ~Client();
  virtual Result<ClientResponse> call(const ClientRequest& request) = 0;
};

[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Client>> open_client(const Env& env);

/// Judge an address of a resolved host by a policy; used at save, too.
/// `address` is a literal IPv4 or IPv6 address.
[[nodiscard]] ECP_EXPORT bool is_address_allowed(const AddressPolicy& policy,
                                                 std::string_view address, std::uint16_t port);

/// Scheme, host, port and path of an http or https URL. Fails with `invalid_argument`.
struct Url {
  std::string scheme;
  std::string host;
  std::uint16_t port = 0;
  std::string path;  ///< With query; "/" when empty.
};
[[nodiscard]] ECP_EXPORT Result<Url> parse_url(std::string_view text);

}  // namespace ecp::http
