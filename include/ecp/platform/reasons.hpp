// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of platform (numbers 1800-1899).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::platform::reasons {
inline constexpr Reason wrong_master_key{
    1800, "platform.wrong_master_key", ErrorCode::failed_precondition,
    "{name} cannot be opened with this master key: start with the key that the database was made "
    "with"};
inline constexpr Reason bad_master_key{1801, "platform.bad_master_key", ErrorCode::invalid_argument,
                                       "a master key is 64 hexadecimal digits"};
inline constexpr Reason key_reused{1802, "platform.idempotency_key_reused",
                                   ErrorCode::failed_precondition,
                                   "this Idempotency-Key was used for another request"};
inline constexpr Reason request_running{
    1803, "platform.request_running", ErrorCode::conflict,
    "the first request with this Idempotency-Key has not been answered yet"};
inline constexpr std::array platform_catalogue{&wrong_master_key, &bad_master_key, &key_reused,
                                               &request_running};
}  // namespace ecp::inline v0::platform::reasons
