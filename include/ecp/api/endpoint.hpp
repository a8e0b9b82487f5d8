// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What handlers read from requests and how they answer.

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include <ecp/access/grant.hpp>
#include <ecp/core/error.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/http/message.hpp>

namespace ecp::inline v0::api {

/// An answer with a JSON body; `etag` is the record's revision.
[[nodiscard]] ECP_EXPORT http::Response json_response(int status, std::string json,
                                                      std::optional<Revision> etag = std::nullopt);
/// 204, or another status without a body.
[[nodiscard]] ECP_EXPORT http::Response empty_response(int status = 204);
/// The one error body and its status: the only place where an Error becomes HTTP.
[[nodiscard]] ECP_EXPORT http::Response error_response(const Error& error);
[[nodiscard]] ECP_EXPORT int http_status(const Error& error) noexcept;

/// `"7"`, the entity tag of a revision, with its quotes.
[[nodiscard]] ECP_EXPORT std::string etag(Revision revision);
/// Revision of the `If-Match` field. Fails with `invalid_argument` when absent or no single tag.
[[nodiscard]] ECP_EXPORT Result<Revision> if_match(const http::Request& request);

/// `limit` and `offset` of the query. Fails with `invalid_argument` when out of bounds, and on any
/// other query parameter not named in `others`.
[[nodiscard]] ECP_EXPORT Result<PageRequest> page_from(
    const http::Request& request, std::initializer_list<std::string_view> others = {});
/// Fails with `invalid_argument` on a query parameter that is not named here.
[[nodiscard]] ECP_EXPORT Result<void> only_queries(const http::Request& request,
                                                   std::initializer_list<std::string_view> names);
/// An integer query parameter. Fails with `invalid_argument` when it is none or out of bounds.
[[nodiscard]] ECP_EXPORT Result<std::int64_t> query_integer_or(const http::Request& request,
                                                               std::string_view name,
                                                               std::int64_t fallback,
                                                               std::int64_t min, std::int64_t max);
/// An RFC 3339 query parameter.
[[nodiscard]] ECP_EXPORT Result<std::optional<Time>> query_time(const http::Request& request,
                                                                std::string_view name);

/// The request's body as one JSON object; close reading with `reader().finish()`.
[[nodiscard]] ECP_EXPORT Result<json::ObjectDocument> body_of(const http::Request& request);

/// An id that no record has.
inline constexpr IdBytes unknown_id{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
                                    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff};

/// Id in the path: `id_of<EdgeNodeId>(request, "node")`. A malformed one becomes an id that no
/// record has, so that it is answered exactly like any unknown one.
template <class SomeId>
[[nodiscard]] SomeId id_of(const http::Request& request, std::string_view name) {
  const auto parsed = SomeId::parse(request.parameter(name));
  return parsed.has_value() && !parsed.value().is_nil() ? parsed.value() : SomeId(unknown_id);
}

/// Scope of the path's `:org` and `:project`; the platform without them. Malformed ids as above.
[[nodiscard]] ECP_EXPORT access::Scope scope_of(const http::Request& request);

/// Where a request came from, for grants and audit entries.
[[nodiscard]] ECP_EXPORT access::Origin origin_of(const http::Request& request);

/// The bearer token of a request; "" without one.
[[nodiscard]] ECP_EXPORT std::string_view bearer_token(const http::Request& request) noexcept;

/// `{"items":[...],"total":n}`; `write(json::Writer&, const T&)` writes one item.
template <class T, class Write>
[[nodiscard]] std::string json_list(const Page<T>& page, Write&& write) {
  json::Writer writer;
  writer.begin_object().key("items").begin_array();
  for (const T& item : page.items) write(writer, item);
  writer.end_array().field("total", page.total).end_object();
  return writer.take();
}

}  // namespace ecp::inline v0::api
