// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What presence hears, what it does inside a transaction, and what that means afterwards.

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <ecp/fleet/presence.hpp>

namespace ecp::inline v0::fleet {

/// A message of presence that could be read.
struct PresenceNews {
  EdgeNodeId agent;
  std::variant<link::Presence, link::Heartbeat> what;
  std::size_t place = 0;  ///< Among the messages it came with.
  /// Of an answer: the connection that was stored before its question left.
  std::optional<std::int64_t> asked_at{};
};

/// What a committed unit means for memory, listeners and other engines.
struct PresenceEffect {
  EdgeNodeId agent;
  access::Scope scope;
  EdgeNodeStatus status;  ///< As committed.
  std::string facts;      ///< Of the heartbeat, see link::facts_of; empty for births and wills.
  bool connected = false;
  bool changed = false;  ///< Something worth an event.
  bool behind = false;
  bool ahead = false;
  bool doubtful = false;              ///< Nothing was changed: the agent shall be asked.
  bool is_present = false;            ///< It told its connection, which is the stored one now.
  std::vector<EdgeService> services;  ///< Whose state changed.
};

/// Apply births, wills and heartbeats to the database; the observers are told inside.
[[nodiscard]] Result<std::optional<PresenceEffect>> apply_presence(
    storage::Transaction& transaction, const PresenceEngine::Parts& parts, Env env,
    const PresenceNews& news);

/// An agent that connects anew was away since it was last seen. What it buffered meanwhile will
/// fill that stretch; where nothing comes, a gap stays visible.
[[nodiscard]] Result<void> record_stretch(const PresenceEngine::Parts& parts, Env env,
                                          EdgeNodeId agent, std::int64_t connection, Time seen);

/// Mark a node as absent when it still is silent. None when it is gone or was heard elsewhere.
[[nodiscard]] Result<std::optional<PresenceEffect>> apply_silence(
    storage::Transaction& transaction, const PresenceEngine::Parts& parts, Env env,
    EdgeNodeId agent, Time seen);

}  // namespace ecp::inline v0::fleet
