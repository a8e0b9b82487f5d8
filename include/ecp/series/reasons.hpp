// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of series (numbers 2200-2299).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::series {

namespace reasons {
inline constexpr Reason bad_block{2200, "series.bad_block", ErrorCode::invalid_argument,
                                  "the sample block is not valid: {problem}"};
inline constexpr Reason damaged_folder{2201, "series.damaged_folder", ErrorCode::data_loss,
                                       "the series file {path} cannot be read"};
inline constexpr Reason bad_range{2202, "series.bad_range", ErrorCode::invalid_argument,
                                  "the time range is empty or asks for no or too many points"};
inline constexpr Reason newer_file{
    2203, "series.newer_file", ErrorCode::failed_precondition,
    "the series file {path} has version {found}, made by a newer program; this one knows {known}"};
}  // namespace reasons

inline constexpr std::array series_catalogue{&reasons::bad_block, &reasons::damaged_folder,
                                             &reasons::bad_range, &reasons::newer_file};

}  // namespace ecp::inline v0::series
