// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Requests out of Beast's parser, and answers as the octets that are sent.

#include <string>
#include <string_view>

#include <ecp/core/time.hpp>
#include <ecp/http/message.hpp>

#include "http/beast/beast.hpp"

namespace ecp::inline v0::http::beast {

/// Judge a complete head: method, version, host, target.
[[nodiscard]] Result<void> check_head(const Parser& parser);

/// What a parser's error means for the peer. `in_target` while the first line is incomplete.
[[nodiscard]] Error parse_error(const error_code& problem, bool in_target, std::size_t body_limit);

/// Turn a complete message into a request. Fails with http.bad_request for a path that is not
/// normal.
[[nodiscard]] Result<Request> take_request(Parser& parser);

/// How the end of a body is told.
enum class Framing { length, chunked, until_close };

struct HeadOptions {
  Framing framing = Framing::length;
  bool keep_alive = false;
  Time now;
};
/// The status line and fields of an answer, with the empty line.
[[nodiscard]] std::string make_head(const Response& response, const HeadOptions& options);

/// One piece as a chunk of RFC 9112, section 7.1.
void append_chunk(std::string& out, std::string_view piece);
inline constexpr std::string_view last_chunk = "0\r\n\r\n";

}  // namespace ecp::inline v0::http::beast
