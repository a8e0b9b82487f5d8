// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/api/endpoint.hpp>
#include <ecp/http/answer.hpp>
#include <ecp/http/reasons.hpp>

namespace ecp::inline v0::api {
namespace {

int status_of(ErrorCode code) noexcept {
  switch (code) {
    case ErrorCode::invalid_argument:
      return 400;
    case ErrorCode::unauthenticated:
      return 401;
    case ErrorCode::permission_denied:
      return 403;
    case ErrorCode::not_found:
      return 404;
    case ErrorCode::already_exists:
      return 409;
    case ErrorCode::conflict:
      return 409;
    case ErrorCode::failed_precondition:
      return 422;
    case ErrorCode::resource_exhausted:
      return 429;
    case ErrorCode::internal:
      return 500;
    case ErrorCode::data_loss:
      return 500;
    case ErrorCode::unimplemented:
      return 501;
    case ErrorCode::unavailable:
      return 503;
    case ErrorCode::cancelled:
      return 503;
    case ErrorCode::timeout:
      return 504;
  }
  return 500;
}

}  // namespace

int http_status(const Error& error) noexcept {
  const int own = http::own_status(*error.reason);
  return own != 0 ? own : status_of(error.code());
}

http::Response error_response(const Error& error) {
  const int status = http_status(error);
  auto response = http::make_error_response(status, error);
  if (status == 401) response.headers.add("WWW-Authenticate", "Bearer");
  const auto wait = std::find_if(error.params.begin(), error.params.end(),
                                 [](const auto& param) { return param.first == "retry_after_s"; });
  if (wait != error.params.end()) response.headers.add("Retry-After", wait->second);
  return response;
}

}  // namespace ecp::inline v0::api
