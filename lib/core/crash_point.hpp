// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Places where a test lets the process die.

namespace ecp::inline v0 {

#ifdef ECP_CRASH_POINTS
/// Note that this place was passed, and die here by SIGKILL when the test asked for it.
void crash_at(const char* point) noexcept;
#else
/// In all that is installed: nothing, not even the point's name.
consteval void crash_at(const char* /*point*/) noexcept {}
#endif

}  // namespace ecp::inline v0
