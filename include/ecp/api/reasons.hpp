// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of api (numbers 3000-3099).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::api::reasons {
inline constexpr Reason no_such_path{3000, "api.no_such_path", ErrorCode::not_found,
                                     "there is nothing at this address"};
inline constexpr Reason token_missing{3001, "api.token_missing", ErrorCode::unauthenticated,
                                      "log in first, then send Authorization: Bearer <token>"};
inline constexpr Reason foreign_origin{3002, "api.foreign_origin", ErrorCode::permission_denied,
                                       "pages of another origin may not change anything here"};
inline constexpr Reason if_match_missing{
    3003, "api.if_match_missing", ErrorCode::invalid_argument,
    "send If-Match with the record's ETag, such as If-Match: \"3\""};
inline constexpr Reason bad_query{3004, "api.bad_query", ErrorCode::invalid_argument,
                                  "query parameter {name} {problem}"};
inline constexpr Reason too_many_streams{3005, "api.too_many_streams",
                                         ErrorCode::resource_exhausted,
                                         "there are already {limit} event streams"};
inline constexpr Reason too_many_own_streams{3006, "api.too_many_own_streams",
                                             ErrorCode::resource_exhausted,
                                             "you have already {limit} event streams"};
inline constexpr std::array api_catalogue{&no_such_path,        &token_missing, &foreign_origin,
                                          &if_match_missing,    &bad_query,     &too_many_streams,
                                          &too_many_own_streams};
}  // namespace ecp::inline v0::api::reasons
