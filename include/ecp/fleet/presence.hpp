// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which agents are there.

#include <functional>
#include <memory>
#include <span>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/fleet/command.hpp>
#include <ecp/fleet/ingest.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::fleet {

/// Births whose counter is not above the stored one come from another disk with the same identity:
/// a restored one once, a cloned one again and again. So many within the window are told.
inline constexpr std::size_t identity_flips = 3;
inline constexpr Milliseconds identity_window{5LL * 60'000};

/// Turns births, wills, heartbeats and silence into the state of nodes and services.
///
/// Last-seen is kept in memory and written by `flush`; changes of state are written at once. A will
/// counts only for the connection stored and shows offline at once; silence does after 1.5
/// heartbeats
/// + 5 s of time in which this replica was subscribed, and only silence makes a node absent.
///
/// Thread safety: any thread; `take` from one thread at a time; calls block.
class ECP_EXPORT PresenceEngine {
 public:
  struct Parts {
    storage::Store& store;
    series::SeriesStore& series;
    NodeObserver& observer;
    TrustObserver& trust;
    platform::LiveEvents& live;
    CommandEngine& commands;
    /// Called after the commit: an agent connected anew.
    std::function<void(EdgeNodeId)> on_connected;
    /// An agent shows a smaller manifest than it should have, or a greater one.
    std::function<void(EdgeNodeId)> on_behind;
    std::function<void(EdgeNodeId)> on_ahead;
    /// A short heartbeat rests on one that is not known here, or an agent was connected before this
    /// replica heard it: the whole is wanted.
    std::function<void(EdgeNodeId)> on_unclear;
    /// An agent seems to be at an earlier connection than the stored one, which is given: the agent
    /// itself shall tell (`confirm`), and nothing changes before.
    std::function<void(EdgeNodeId, std::int64_t)> on_doubtful{};
    /// Replicas hear agents side by side, and one of them may be slow: a birth that seems to be an
    /// earlier one is doubtful, too. Otherwise it is believed.
    bool doubts_births = false;
  };
  PresenceEngine(Parts parts, Milliseconds heartbeat, Env env);
  ~PresenceEngine();
  PresenceEngine(const PresenceEngine&) = delete;
  PresenceEngine& operator=(const PresenceEngine&) = delete;

  /// Births, wills and heartbeats, in the order heard. Return the places, ascending, of births and
  /// wills that could not be stored: they do not come again by themselves, and nothing else of
  /// their agents may be taken before them.
  [[nodiscard]] std::vector<std::size_t> take(std::span<const Heard> messages);
  /// What an agent said of its present connection when it was asked; believed. `asked_at`: the
  /// stored connection when the question left, 0 when that is unknown. A value returned is the
  /// one stored now, of which the answer cannot know yet: ask again.
  [[nodiscard]] Result<std::optional<std::int64_t>> confirm(EdgeNodeId agent,
                                                            const link::Presence& presence,
                                                            std::int64_t asked_at);
  /// True when an agent told its connection since this replica listens: it has heard every birth
  /// since then, and others may have heard one before.
  [[nodiscard]] bool is_present(EdgeNodeId agent) const;
  /// Anything else heard of an agent also proves that it lives.
  void heard(EdgeNodeId agent);
  /// The gateway is subscribed, or no longer: silence counts only from here on.
  void listening(bool now_listening);
  /// Judge silence; once a second, one call at a time. Return how many nodes became absent.
  Result<std::int64_t> sweep();
  /// Write last-seen of all that were heard since the last flush, in units of 100.
  Result<void> flush();
  /// Forget a node that is revoked or removed.
  void forget(EdgeNodeId agent);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0::fleet
