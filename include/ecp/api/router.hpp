// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The table of endpoints and the chain around each of them.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/access/permission.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/result.hpp>
#include <ecp/http/message.hpp>

namespace ecp::inline v0::api {

/// Tells whose a bearer token is. Fails with `unauthenticated`.
using Authenticator = std::function<Result<access::Principal>(std::string_view token)>;

/// Makes the proof of what a principal may do in a scope; rbac::Authorizer::authorize. Fails with
/// `not_found` for a scope that does not exist or is foreign.
using GrantSource = std::function<Result<access::Grant>(
    const access::Principal& principal, const access::Scope& scope, const access::Origin& origin)>;

/// One row of the table: who may call what. Its scope is that of the path's `:org` and `:project`.
struct Endpoint {
  http::Method method = http::Method::get;
  std::string path;  ///< "/api/v1/orgs/:org"; a `:name` stands for one path segment.
  /// Required in the path's scope before the handler runs. Null: whoever is logged in may call it,
  /// and the use-case behind it decides (lists of what one may see, one's own session).
  const access::Permission* permission = nullptr;
  std::function<Result<http::Response>(const http::Request&, const access::Grant&)> handler;
};

/// A row that needs no log-in; each is listed by name in a test.
struct PublicEndpoint {
  http::Method method = http::Method::get;
  std::string path;
  std::function<Result<http::Response>(const http::Request&)> handler;
};

/// What the table says about one row, for documents and tests.
struct EndpointRow {
  http::Method method = http::Method::get;
  std::string path;
  const access::Permission* permission = nullptr;
  bool is_public = false;
};

/// Runs `answer` once per principal and key and returns its text, also to later requests with that
/// key; platform::Idempotency::once. `answer` says whether its text stands for good.
using OnceRunner = std::function<Result<std::string>(
    const IdBytes& principal, std::string_view key, std::string_view request_hash,
    const std::function<std::string(bool& keep)>& answer)>;

struct RouterOptions {
  /// Origins of pages beside our own that may change things: "https://console.example.com".
  std::vector<std::string> origins;
  /// Announce that only TLS is to be used (RFC 6797).
  bool strict_transport = false;
  /// Makes POST with an `Idempotency-Key` safe to repeat; without it the field is ignored. Such an
  /// answer is kept when it is a success.
  OnceRunner once;
};

/// Finds the endpoint of a request and runs the chain around it: request id, size limit, origin and
/// content type, authentication, authorization, handler, error mapping, access log.
///
/// An unknown path is 404, a known one with another method 405 with `Allow`; there is no other way
/// past the permission of a row.
/// Thread safety: `add` before the first `dispatch`; `dispatch` from any thread.
class ECP_EXPORT Router {
 public:
  Router(Authenticator authenticator, GrantSource grants, const Env& env,
         RouterOptions options = {});
  ~Router();
  Router(const Router&) = delete;
  Router& operator=(const Router&) = delete;

  /// Add a row. A method and path used twice, or a row without handler, is a broken invariant.
  void add(Endpoint endpoint);
  void add_public(PublicEndpoint endpoint);
  /// All rows in the order they were added.
  [[nodiscard]] std::vector<EndpointRow> endpoints() const;

  [[nodiscard]] http::Response dispatch(http::Request request) const;
  /// `dispatch` for a server; this router outlives it.
  [[nodiscard]] http::Handler handler() const;

 private:
  struct Table;
  std::unique_ptr<Table> table_;
};

}  // namespace ecp::inline v0::api
