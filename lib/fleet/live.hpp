// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Live events that more than one engine publishes.

#include <string>

#include <ecp/fleet/edge_service.hpp>

namespace ecp::inline v0::fleet {

/// Data of `event: service`: how the service is, and how its configuration was taken.
[[nodiscard]] std::string live_json(const EdgeService& service);

}  // namespace ecp::inline v0::fleet
