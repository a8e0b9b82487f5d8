// SPDX-License-Identifier: Apache-2.0
#include "fleet/known_agents.hpp"

#include <algorithm>

namespace ecp::inline v0::fleet {
namespace {

constexpr Milliseconds reload_interval{30'000};

}  // namespace

void KnownAgents::hear(Known& known) {
  known.heard = env_.clock.steady();
  known.seen = env_.clock.now();
}

void KnownAgents::be_present(EdgeNodeId agent) {
  present_.insert(agent);
  found_.erase(agent);
}

bool KnownAgents::note_found(EdgeNodeId agent) {
  const std::lock_guard lock(mutex_);
  return present_.count(agent) == 0 && found_.insert(agent).second;
}

bool KnownAgents::take_heartbeat(EdgeNodeId agent, const link::Heartbeat& heartbeat) {
  const bool is_short = !heartbeat.same.empty();
  const auto facts = is_short ? heartbeat.same : link::facts_of(heartbeat);
  const std::lock_guard lock(mutex_);
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return false;
  auto& known = found->second;
  if (known.state != ConnectionState::online || !known.watched || known.facts != facts) {
    return false;
  }
  hear(known);
  known.dirty = true;
  be_present(agent);
  if (!is_short) known.vitals = {heartbeat.buffered, heartbeat.dropped, heartbeat.host};
  if (known.vitals) {
    known.vitals->buffered = heartbeat.buffered;
    known.vitals->dropped = heartbeat.dropped;
  }
  if (!std::exchange(known.unchecked, true)) unchecked_.push_back(agent);
  return true;
}

void KnownAgents::note(const PresenceEffect& effect) {
  const auto& status = effect.status;
  const std::lock_guard lock(mutex_);
  if (effect.is_present) be_present(effect.agent);
  auto& known = agents_[effect.agent];
  known.state = status.state;
  known.connection = status.connection;
  known.watched = !status.absent;
  if (!effect.facts.empty()) {
    known.facts = effect.facts;
    known.vitals = Vitals{status.buffered, status.dropped, status.host};
  }
  if (status.state == ConnectionState::online) {
    hear(known);
  } else if (known.heard == SteadyTime{}) {
    known.heard = env_.clock.steady();
  }
  if (known.watched) expect(known);
}

void KnownAgents::heard(EdgeNodeId agent) {
  const std::lock_guard lock(mutex_);
  const auto found = agents_.find(agent);
  if (found == agents_.end()) return;
  hear(found->second);
  found->second.dirty = true;
}

void KnownAgents::forget(EdgeNodeId agent) {
  const std::lock_guard lock(mutex_);
  agents_.erase(agent);
  present_.erase(agent);
  found_.erase(agent);
  std::erase(unchecked_, agent);
}

void KnownAgents::listening(bool now_listening) {
  const std::lock_guard lock(mutex_);
  if (now_listening && !is_listening_) listening_since_ = env_.clock.steady();
  if (now_listening != is_listening_) {
    present_.clear();
    found_.clear();
  }
  is_listening_ = now_listening;
  watched_since_ = {};
}

void KnownAgents::wait_anew() {
  const std::lock_guard lock(mutex_);
  listening_since_ = env_.clock.steady();
}

void KnownAgents::note_present(EdgeNodeId agent) {
  const std::lock_guard lock(mutex_);
  be_present(agent);
}

bool KnownAgents::is_present(EdgeNodeId agent) const {
  const std::lock_guard lock(mutex_);
  return present_.count(agent) > 0;
}

bool KnownAgents::is_stale() const {
  const std::lock_guard lock(mutex_);
  return is_listening_ &&
         (watched_since_ == SteadyTime{} || env_.clock.steady() - watched_since_ > reload_interval);
}

void KnownAgents::watch(std::span<const EdgeNodeId> agents) {
  const std::lock_guard lock(mutex_);
  for (const auto agent : agents) {
    const auto made = agents_.try_emplace(agent);
    if (!made.second) continue;
    made.first->second.heard = env_.clock.steady();
    expect(made.first->second);
  }
  watched_since_ = env_.clock.steady();
}

SteadyTime KnownAgents::silent_at(const Known& known) const {
  return std::max(known.heard, listening_since_) + patience_;
}

void KnownAgents::expect(const Known& known) {
  none_silent_until_ = std::min(none_silent_until_, silent_at(known));
}

bool KnownAgents::is_silent(const Known& known, SteadyTime now) const {
  return known.watched && silent_at(known) < now;
}

bool KnownAgents::is_silent(EdgeNodeId agent) const {
  const std::lock_guard lock(mutex_);
  const auto found = agents_.find(agent);
  return is_listening_ && found != agents_.end() && is_silent(found->second, env_.clock.steady());
}

std::vector<KnownAgents::Seen> KnownAgents::silent() {
  const std::lock_guard lock(mutex_);
  std::vector<Seen> found;
  const auto now = env_.clock.steady();
  if (!is_listening_ || now <= none_silent_until_) return found;
  none_silent_until_ = SteadyTime::max();
  for (const auto& [agent, known] : agents_) {
    if (!known.watched) continue;
    expect(known);
    if (is_silent(known, now)) found.emplace_back(agent, known.seen);
  }
  std::sort(found.begin(), found.end());
  return found;
}

void KnownAgents::judge(std::span<const EdgeNodeId> alive, std::span<const EdgeNodeId> gone) {
  const std::lock_guard lock(mutex_);
  const auto with = [&](EdgeNodeId agent, auto change) {
    const auto found = agents_.find(agent);  // It may be forgotten by now.
    if (found != agents_.end()) change(found->second);
  };
  for (const auto agent : alive)
    with(agent, [&](auto& known) { known.heard = env_.clock.steady(); });
  for (const auto agent : gone) with(agent, [](auto& known) { known.watched = false; });
}

std::vector<EdgeNodeId> KnownAgents::take_unchecked() {
  const std::lock_guard lock(mutex_);
  for (const auto agent : unchecked_) {
    const auto found = agents_.find(agent);
    if (found != agents_.end()) found->second.unchecked = false;
  }
  std::sort(unchecked_.begin(), unchecked_.end());
  return std::exchange(unchecked_, {});
}

std::vector<KnownAgents::Unwritten> KnownAgents::take_unwritten() {
  std::vector<Unwritten> rows;
  {
    const std::lock_guard lock(mutex_);
    for (auto& [agent, known] : agents_) {
      if (std::exchange(known.dirty, false)) rows.push_back({agent, known.seen, known.vitals});
    }
  }
  // Neighbours in the table share its pages, so that a unit writes few.
  std::sort(rows.begin(), rows.end(),
            [](const Unwritten& left, const Unwritten& right) { return left.agent < right.agent; });
  return rows;
}

std::optional<Time> KnownAgents::seen_before(EdgeNodeId agent, std::int64_t connection) const {
  const std::lock_guard lock(mutex_);
  const auto known = agents_.find(agent);
  if (known == agents_.end()) return Time{};
  if (known->second.stretched == connection) return std::nullopt;
  return known->second.seen;
}

void KnownAgents::note_stretch(EdgeNodeId agent, std::int64_t connection) {
  const std::lock_guard lock(mutex_);
  const auto known = agents_.find(agent);
  if (known != agents_.end()) known->second.stretched = connection;
}

}  // namespace ecp::inline v0::fleet
