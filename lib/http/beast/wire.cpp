// SPDX-License-Identifier: Apache-2.0
#include "http/beast/wire.hpp"

#include <algorithm>
#include <array>
#include <cstdio>
#include <ctime>

#include <ecp/core/limits.hpp>
#include <ecp/http/reasons.hpp>

#include "http/text.hpp"

namespace ecp::inline v0::http::beast {
namespace {

std::string text_of(boost::beast::string_view view) { return {view.data(), view.size()}; }

std::optional<Method> method_of(parsing::verb verb) {
  switch (verb) {
    case parsing::verb::get:
      return Method::get;
    case parsing::verb::head:
      return Method::head;
    case parsing::verb::post:
      return Method::post;
    case parsing::verb::put:
      return Method::put;
    case parsing::verb::patch:
      return Method::patch;
    case parsing::verb::delete_:
      return Method::del;
    case parsing::verb::options:
      return Method::options;
    default:
      return std::nullopt;
  }
}

Error bad_request(std::string problem) {
  return Error(reasons::bad_request, {{"problem", std::move(problem)}});
}

/// "Sun, 06 Nov 1994 08:49:37 GMT", in English whatever the locale is.
std::string http_date(Time now) {
  static constexpr std::array days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                     "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto seconds = static_cast<std::time_t>(to_ms(now) / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 48> text{};
  std::snprintf(text.data(), text.size(), "%s, %02d %s %04d %02d:%02d:%02d GMT",
                days.at(static_cast<std::size_t>(parts.tm_wday)), parts.tm_mday,
                months.at(static_cast<std::size_t>(parts.tm_mon)), parts.tm_year + 1900,
                parts.tm_hour, parts.tm_min, parts.tm_sec);
  return text.data();
}

/// Fields end at a line end; a value that holds one must not begin another field.
void append_field(std::string& out, std::string_view name, std::string_view value) {
  out.append(name).append(": ");
  std::copy_if(value.begin(), value.end(), std::back_inserter(out),
               [](char letter) { return letter != '\r' && letter != '\n' && letter != '\0'; });
  out.append("\r\n");
}

}  // namespace

Result<void> check_head(const Parser& parser) {
  const auto& head = parser.get();
  if (!method_of(head.method())) return reasons::unknown_method;
  const auto hosts = head.count(parsing::field::host);
  if (hosts > 1 || (hosts == 0 && head.version() >= 11)) {
    return bad_request("it must name one Host");
  }
  if (head.count(parsing::field::transfer_encoding) != 0 &&
      (!head.chunked() || head.count(parsing::field::content_length) != 0)) {
    return bad_request("the body's length is not clear");
  }
  return {};
}

Error parse_error(const error_code& problem, bool in_target, std::size_t body_limit) {
  if (problem == parsing::error::header_limit) {
    if (in_target) {
      return Error(reasons::target_too_long, {{"limit", std::to_string(limits::http_target)}});
    }
    return Error(reasons::header_too_large, {{"limit", std::to_string(limits::http_header)}});
  }
  if (problem == parsing::error::body_limit) {
    return Error(reasons::body_too_large, {{"limit", std::to_string(body_limit)}});
  }
  return bad_request(problem.message());
}

Result<Request> take_request(Parser& parser) {
  auto& message = parser.get();
  Request request;
  request.method = method_of(message.method()).value_or(Method::get);
  const auto target = text_of(message.target());
  const auto question = std::min(target.find('?'), target.size());
  auto path = text::normal_path(std::string_view(target).substr(0, question));
  if (!path) return bad_request("the path is not a normal one");
  request.path = std::move(*path);
  if (question < target.size()) request.query = target.substr(question + 1);
  for (const auto& field : message) {
    request.headers.add(text_of(field.name_string()), text_of(field.value()));
  }
  request.body = std::move(message.body());
  return request;
}

std::string make_head(const Response& response, const HeadOptions& options) {
  std::string out;
  out.reserve(512);
  const auto status = parsing::int_to_status(static_cast<unsigned>(response.status));
  const auto phrase = parsing::obsolete_reason(status);
  out.append("HTTP/1.1 ").append(std::to_string(response.status)).append(" ");
  out.append(phrase.data(), phrase.size()).append("\r\n");
  append_field(out, "Date", http_date(options.now));
  for (const auto& [name, value] : response.headers.all()) append_field(out, name, value);
  const bool bodiless = response.status == 204 || response.status == 304;
  if (options.framing == Framing::length && !bodiless) {
    append_field(out, "Content-Length", std::to_string(response.body.size()));
  } else if (options.framing == Framing::chunked) {
    append_field(out, "Transfer-Encoding", "chunked");
  }
  append_field(out, "Connection", options.keep_alive ? "keep-alive" : "close");
  out.append("\r\n");
  return out;
}

void append_chunk(std::string& out, std::string_view piece) {
  std::array<char, 24> size{};
  std::snprintf(size.data(), size.size(), "%zx\r\n", piece.size());
  out.append(size.data()).append(piece).append("\r\n");
}

}  // namespace ecp::inline v0::http::beast
