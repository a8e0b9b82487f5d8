// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of tenancy (numbers 1500-1599).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::tenancy::reasons {
inline constexpr Reason not_empty{1500, "tenancy.not_empty", ErrorCode::failed_precondition,
                                  "the {noun} is not empty: remove what is in it first"};
inline constexpr std::array tenancy_catalogue{&not_empty};
}  // namespace ecp::inline v0::tenancy::reasons
