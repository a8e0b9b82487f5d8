// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of audit (numbers 1400-1499).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::audit::reasons {
inline constexpr Reason bad_checkpoint_file{
    1400, "audit.bad_checkpoint_file", ErrorCode::data_loss,
    "line {line} of the checkpoint file is not a checkpoint: {problem}"};
inline constexpr std::array audit_catalogue{&bad_checkpoint_file};
}  // namespace ecp::inline v0::audit::reasons
