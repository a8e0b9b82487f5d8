// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of platform (numbers 1800-1899).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::platform::reasons {
inline constexpr Reason bad_master_key{1800, "platform.bad_master_key", ErrorCode::invalid_argument,
                                       "the master key must be 64 hexadecimal digits"};
inline constexpr Reason bad_master_key_file{
    1801, "platform.bad_master_key_file", ErrorCode::failed_precondition,
    "{path} must hold a master key of 64 hexadecimal digits and nothing else"};
inline constexpr Reason wrong_master_key{
    1802, "platform.wrong_master_key", ErrorCode::failed_precondition,
    "what is stored as {purpose} cannot be opened with this master key: start with the master key "
    "that this data was made with, or restore both from the same backup"};
inline constexpr std::array platform_catalogue{&bad_master_key, &bad_master_key_file,
                                               &wrong_master_key};
}  // namespace ecp::inline v0::platform::reasons
