// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a pipeline saw, whether it is worth sending or not.

#include <ecp/series/sample.hpp>

namespace ecp::inline v0::pipeline {

/// A sample on the in-process bus: alarms judge every one, the buffer stores the reported ones.
struct Observation {
  series::Sample sample;
  bool is_reported = true;  ///< False: unchanged, or within the deadband.
};

}  // namespace ecp::inline v0::pipeline
