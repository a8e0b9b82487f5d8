// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <utility>

#include <ecp/core/json.hpp>
#include <ecp/http/answer.hpp>
#include <ecp/http/reasons.hpp>

namespace ecp::inline v0::http {

int own_status(const Reason& reason) noexcept {
  static constexpr std::array statuses{
      std::pair{&reasons::method_not_allowed, 405},     std::pair{&reasons::request_timeout, 408},
      std::pair{&reasons::body_too_large, 413},         std::pair{&reasons::target_too_long, 414},
      std::pair{&reasons::unsupported_media_type, 415}, std::pair{&reasons::header_too_large, 431}};
  for (const auto& [row, status] : statuses) {
    if (row->number == reason.number) return status;
  }
  return 0;
}

std::string error_body(const Error& error) {
  json::Writer writer;
  writer.begin_object()
      .field("code", error.reason->number)
      .field("reason", error.reason->symbol)
      .field("message", error.message())
      .key("params")
      .begin_object();
  for (const auto& [name, value] : error.params) writer.field(name, value);
  writer.end_object().end_object();
  return writer.take();
}

Response make_error_response(int status, const Error& error) {
  Response response;
  response.status = status;
  response.headers.add("Content-Type", "application/json");
  response.body = error_body(error);
  return response;
}

void add_security_fields(Headers& headers) {
  static constexpr std::array<std::pair<std::string_view, std::string_view>, 6> fields{
      {{"Cache-Control", "no-store"},
       {"X-Content-Type-Options", "nosniff"},
       {"X-Frame-Options", "DENY"},
       {"Referrer-Policy", "no-referrer"},
       {"Cross-Origin-Resource-Policy", "same-origin"},
       {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"}}};
  for (const auto& [name, value] : fields) {
    if (!headers.find(name)) headers.add(std::string(name), std::string(value));
  }
}

}  // namespace ecp::inline v0::http
