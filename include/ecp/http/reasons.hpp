// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of http (numbers 1200-1299). Those of the server carry a status of their own.

#include <array>

#include <ecp/core/error.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0::http {

namespace reasons {
inline constexpr Reason bad_request{1200, "http.bad_request", ErrorCode::invalid_argument,
                                    "this is not a valid HTTP request: {problem}"};
inline constexpr Reason method_not_allowed{
    1201, "http.method_not_allowed", ErrorCode::invalid_argument, "{method} is not possible here"};
inline constexpr Reason request_timeout{1202, "http.request_timeout", ErrorCode::timeout,
                                        "the request did not arrive in time"};
inline constexpr Reason body_too_large{1203, "http.body_too_large", ErrorCode::invalid_argument,
                                       "the body is over the limit of {limit} octets"};
inline constexpr Reason target_too_long{1204, "http.target_too_long", ErrorCode::invalid_argument,
                                        "the path and query are over the limit of {limit} octets"};
inline constexpr Reason unsupported_media_type{1205, "http.unsupported_media_type",
                                               ErrorCode::invalid_argument,
                                               "the body must be application/json"};
inline constexpr Reason header_too_large{1206, "http.header_too_large", ErrorCode::invalid_argument,
                                         "the header fields are over the limit of {limit} octets"};
inline constexpr Reason unknown_method{1207, "http.unknown_method", ErrorCode::unimplemented,
                                       "the request's method is not known"};
inline constexpr Reason overloaded{1208, "http.overloaded", ErrorCode::unavailable,
                                   "there are more connections than the limit of {limit}"};
inline constexpr Reason stopping{1209, "http.stopping", ErrorCode::unavailable,
                                 "the server is stopping"};
inline constexpr Reason bad_encoding{1210, "http.bad_encoding", ErrorCode::invalid_argument,
                                     "the percent-encoding of the address is not valid"};
inline constexpr Reason listen_failed{1211, "http.listen_failed", ErrorCode::unavailable,
                                      "cannot listen on {address}: {problem}"};
inline constexpr Reason bad_tls{1212, "http.bad_tls", ErrorCode::failed_precondition,
                                "the {what} cannot be used: {problem}"};
inline constexpr Reason plain_refused{1213, "http.plain_refused", ErrorCode::failed_precondition,
                                      "plain HTTP is only possible on loopback, not on {address}"};
inline constexpr Reason bad_url{1220, "http.bad_url", ErrorCode::invalid_argument,
                                "the URL {problem}"};
inline constexpr Reason unreachable{1221, "http.unreachable", ErrorCode::unavailable,
                                    "{host} cannot be reached: {problem}"};
inline constexpr Reason address_refused{1222, "http.address_refused", ErrorCode::permission_denied,
                                        "{host} leads to an address that may not be called"};
inline constexpr Reason untrusted_server{1223, "http.untrusted_server", ErrorCode::unauthenticated,
                                         "{host} did not prove its identity: {problem}"};
inline constexpr Reason answer_too_large{1224, "http.answer_too_large",
                                         ErrorCode::resource_exhausted,
                                         "the answer of {host} is over {limit} octets"};
inline constexpr Reason call_timeout{1225, "http.call_timeout", ErrorCode::timeout,
                                     "{host} did not answer in time"};
inline constexpr std::array http_catalogue{
    &bad_request,      &method_not_allowed, &request_timeout,
    &body_too_large,   &target_too_long,    &unsupported_media_type,
    &header_too_large, &unknown_method,     &overloaded,
    &stopping,         &bad_encoding,       &listen_failed,
    &bad_tls,          &plain_refused,      &bad_url,
    &unreachable,      &address_refused,    &untrusted_server,
    &answer_too_large, &call_timeout};
}  // namespace reasons

/// The status that belongs to a reason of this module alone (405, 408, 413, 414, 415, 431); 0 for
/// all others, whose class decides.
[[nodiscard]] ECP_EXPORT int own_status(const Reason& reason) noexcept;

}  // namespace ecp::inline v0::http
