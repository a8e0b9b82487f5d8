// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Load, memory and disk of the machine, for heartbeats.

#include <string>

#include <ecp/link/documents.hpp>

namespace ecp::inline v0::agent {

/// What cannot be read stays 0.
[[nodiscard]] link::Heartbeat::Host measure_host(const std::string& folder);

}  // namespace ecp::inline v0::agent
