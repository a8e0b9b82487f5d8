// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Channels as MQTT topics. The broker's plugin judges by the same words.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/link/ids.hpp>
#include <ecp/transport/channel.hpp>

namespace ecp::inline v0::transport::topics {

inline constexpr std::string_view agents = "ecp/v1/agents/";
inline constexpr std::string_view replicas = "ecp/v1/ecpd/";
inline constexpr std::string_view changed = "ecp/v1/ecpd/changed";  ///< Hints between replicas.
inline constexpr std::string_view control = "$CONTROL/ecp/v1";
inline constexpr std::string_view up = "up/";
inline constexpr std::string_view to = "to/";
inline constexpr std::string_view down = "down/";
inline constexpr std::string_view replica_name = "ecpd-";  ///< Begins a replica's common name.
inline constexpr std::string_view share = "$share/";
inline constexpr std::string_view queue = "$queue/";  ///< Of other brokers; nobody's here.

/// Topic of a channel that `check_channel` has found fit.
std::string of(link::AgentId agent, const Channel& channel);
/// What an agent subscribes to.
std::string agent_filter(link::AgentId agent);
/// What a replica subscribes to: everything when it is alone; beside others, a share of what any
/// one of them can deal with, all births, wills and heartbeats, and the answers to its own
/// questions.
std::vector<std::string> gateway_filters(std::string_view replica, std::string_view share_group);
/// Agent and channel of a topic that goes up; none for anything else.
std::optional<std::pair<link::AgentId, Channel>> parse_up(std::string_view topic);
/// Channel of a topic that goes down to `agent`; none for anything else.
std::optional<Channel> parse_down(link::AgentId agent, std::string_view topic);

}  // namespace ecp::inline v0::transport::topics
