// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// HTTP requests and responses as plain values, for server and client alike.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::http {

enum class Method { get, head, post, put, patch, del, options };

[[nodiscard]] ECP_EXPORT std::string_view to_string(Method method) noexcept;

/// Header fields in order; names compare without case.
class ECP_EXPORT Headers {
 public:
  void add(std::string name, std::string value);
  void set(std::string name, std::string value);
  [[nodiscard]] std::optional<std::string_view> find(std::string_view name) const noexcept;
  [[nodiscard]] const std::vector<std::pair<std::string, std::string>>& all() const noexcept {
    return fields_;
  }

 private:
  std::vector<std::pair<std::string, std::string>> fields_;
};

/// A request as a handler sees it; its body is complete and within the limit.
struct Request {
  Method method = Method::get;
  std::string path;   ///< Percent-decoded once, normalised: no "..", no "//", no NUL.
  std::string query;  ///< Still encoded; read with `query_value`.
  Headers headers;
  Bytes body;
  std::string request_id;      ///< Made by the server for each request.
  std::string remote_address;  ///< "127.0.0.1", without port.
  /// Subject CN and DER of the client certificate, when one was shown and verified.
  std::optional<std::string> client_name;
  Bytes client_certificate;
  /// Values of the path's parameters, filled by the router: {"org", "org_..."}.
  std::vector<std::pair<std::string, std::string>> parameters;

  /// Value of a path parameter; "" when the route has none of that name.
  [[nodiscard]] ECP_EXPORT std::string_view parameter(std::string_view name) const noexcept;
  /// Percent-decoded value of the first query parameter of a name. Fails with `invalid_argument`
  /// on bad encoding.
  [[nodiscard]] ECP_EXPORT Result<std::optional<std::string>> query_value(
      std::string_view name) const;
  /// All query parameter names, to refuse unknown ones.
  [[nodiscard]] ECP_EXPORT std::vector<std::string> query_names() const;
};

/// Takes pieces of a body that is written as it comes into being.
///
/// Thread safety: any thread. After `write` said false or `close` was called nothing is sent.
class ECP_EXPORT BodyWriter {
 public:
  virtual ~BodyWriter();
  /// Queue a piece; false when the peer is gone or the queue is over its bound (the stream is then
  /// closed by the server).
  virtual bool write(Bytes piece) = 0;
  virtual void close() = 0;
};

/// A response. Either `body` or `stream` is used.
struct Response {
  int status = 200;
  Headers headers;
  Bytes body;
  /// Called once on the server's thread after the head was sent; keeps the writer to stream from
  /// any thread (server-sent events). Must not block.
  std::function<void(std::shared_ptr<BodyWriter>)> stream;  // Shared: server and producer.
  /// Called instead of `body` to produce a large body piece by piece on a worker; an empty piece
  /// ends it. An error cuts the connection.
  std::function<Result<Bytes>()> produce;
};

/// Answers one request. Called on a worker; may block.
using Handler = std::function<Response(Request)>;

}  // namespace ecp::http
