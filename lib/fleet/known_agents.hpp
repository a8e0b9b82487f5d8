// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What presence remembers of agents between two units of work.

#include <mutex>
#include <optional>
#include <span>
#include <string>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/fleet/edge_node.hpp>
#include <ecp/link/documents.hpp>

#include "fleet/presence_state.hpp"

namespace ecp::inline v0::fleet {

/// The agents in memory: whom this replica heard when, and what they said last, so that a quiet
/// fleet costs the database little.
///
/// Thread safety: any thread; no call leaves this class with its lock held.
class KnownAgents {
 public:
  /// What heartbeats say besides states.
  struct Vitals {
    std::int64_t buffered = 0;
    std::int64_t dropped = 0;
    link::Heartbeat::Host host;
  };
  struct Unwritten {
    EdgeNodeId agent;
    Time seen;
    std::optional<Vitals> vitals;  ///< None before the first heartbeat.
  };
  /// An agent and when it was last seen.
  using Seen = std::pair<EdgeNodeId, Time>;

  /// `patience`: longest time without a word of an agent that lives.
  KnownAgents(Milliseconds patience, Env env) : patience_(patience), env_(env) {}

  /// True for a heartbeat that says nothing new; it is remembered for `take_unwritten`.
  [[nodiscard]] bool take_heartbeat(EdgeNodeId agent, const link::Heartbeat& heartbeat);
  /// Remember a committed change.
  void note(const PresenceEffect& effect);
  void heard(EdgeNodeId agent);
  void forget(EdgeNodeId agent);

  /// Whether this replica hears agents: silence counts, and connections are known, from then on.
  void listening(bool now_listening);
  /// Silence counts from now on.
  void wait_anew();
  void note_present(EdgeNodeId agent);
  [[nodiscard]] bool is_present(EdgeNodeId agent) const;
  /// True for one that was connected before this replica heard it; once.
  [[nodiscard]] bool note_found(EdgeNodeId agent);

  /// True when the agents that are to be watched shall be read from the database again.
  [[nodiscard]] bool is_stale() const;
  void watch(std::span<const EdgeNodeId> agents);
  /// Agents that are silent for longer than our patience, in the same order in every run.
  [[nodiscard]] std::vector<Seen> silent();
  [[nodiscard]] bool is_silent(EdgeNodeId agent) const;
  /// What came out of their silence: another replica hears them, or they are gone.
  void judge(std::span<const EdgeNodeId> alive, std::span<const EdgeNodeId> gone);

  /// Agents that said nothing new, but perhaps are not at the manifest that is wanted by now; in
  /// the same order in every run.
  [[nodiscard]] std::vector<EdgeNodeId> take_unchecked();
  [[nodiscard]] std::vector<Unwritten> take_unwritten();

  /// When an agent was seen before a connection; nothing when that stretch is recorded already.
  [[nodiscard]] std::optional<Time> seen_before(EdgeNodeId agent, std::int64_t connection) const;
  void note_stretch(EdgeNodeId agent, std::int64_t connection);

 private:
  struct Known {
    SteadyTime heard{};      ///< Or when we began to watch it.
    Time seen{};             ///< Newest message by our clock.
    bool dirty = false;      ///< `seen` is newer than what is stored.
    bool unchecked = false;  ///< It is in `unchecked_`.
    bool watched = true;     ///< Its silence means something: it is neither absent nor gone.
    ConnectionState state = ConnectionState::offline;
    std::int64_t connection = 0;
    std::int64_t stretched = 0;    ///< The connection before which it was away, as recorded.
    std::string facts;             ///< Of the newest heartbeat that was stored.
    std::optional<Vitals> vitals;  ///< As the heartbeats since then say.
  };
  void hear(Known& known);
  void be_present(EdgeNodeId agent);
  [[nodiscard]] SteadyTime silent_at(const Known& known) const;
  void expect(const Known& known);
  [[nodiscard]] bool is_silent(const Known& known, SteadyTime now) const;

  const Milliseconds patience_;
  const Env env_;
  mutable std::mutex mutex_;
  std::unordered_map<EdgeNodeId, Known> agents_;
  std::vector<EdgeNodeId> unchecked_;
  std::unordered_set<EdgeNodeId> present_;  ///< Who told their connection since we listen.
  std::unordered_set<EdgeNodeId> found_;    ///< Not among them yet.
  bool is_listening_ = false;
  SteadyTime listening_since_{};
  /// No watched agent is silent before; a quiet fleet is not walked once a second.
  SteadyTime none_silent_until_ = SteadyTime::max();
  SteadyTime watched_since_{};  ///< When they were read from the database; none: never.
};

}  // namespace ecp::inline v0::fleet
