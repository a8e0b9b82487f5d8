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
    "with, or restore both from the same backup"};
inline constexpr Reason bad_master_key{1801, "platform.bad_master_key", ErrorCode::invalid_argument,
                                       "a master key is 64 hexadecimal digits"};
inline constexpr Reason key_reused{1802, "platform.idempotency_key_reused", ErrorCode::conflict,
                                   "this Idempotency-Key was used for another request"};
inline constexpr Reason request_running{
    1803, "platform.request_running", ErrorCode::conflict,
    "the first request with this Idempotency-Key has no answer: it is being worked on, or was "
    "interrupted; look whether it took effect before using a new key"};
inline constexpr Reason bad_master_key_file{
    1804, "platform.bad_master_key_file", ErrorCode::failed_precondition,
    "{path} must hold a master key of 64 hexadecimal digits and nothing else"};
inline constexpr std::array platform_catalogue{&wrong_master_key, &bad_master_key, &key_reused,
                                               &request_running, &bad_master_key_file};
}  // namespace ecp::inline v0::platform::reasons
