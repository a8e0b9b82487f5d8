// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Ids that both ends of the agent link speak of.

#include <string_view>

#include <ecp/core/id.hpp>

namespace ecp::inline v0::link {

struct EdgeNodeTag { static constexpr std::string_view prefix = "node"; };
struct EdgeServiceTag { static constexpr std::string_view prefix = "svc"; };
struct CommandTag { static constexpr std::string_view prefix = "cmd"; };
struct AlarmRuleTag { static constexpr std::string_view prefix = "rule"; };

using EdgeNodeId = Id<EdgeNodeTag>;
/// An agent's id is its edge node's id.
using AgentId = EdgeNodeId;
using EdgeServiceId = Id<EdgeServiceTag>;
using CommandId = Id<CommandTag>;
using AlarmRuleId = Id<AlarmRuleTag>;

}  // namespace ecp::link
