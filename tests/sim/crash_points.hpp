// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The crash points of the control plane, as moments at which the simulation may look away.

#include <functional>

namespace ecp_test {

/// Is called at each crash point that is passed from now on; empty: nothing is.
void on_crash_point(std::function<void(const char* point)> passed);

}  // namespace ecp_test
