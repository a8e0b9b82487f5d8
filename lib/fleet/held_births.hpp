// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Births and wills that could not be stored and are tried again.

#include <cstddef>
#include <iterator>
#include <map>
#include <utility>
#include <vector>

#include <ecp/fleet/ingest.hpp>

namespace ecp::inline v0::fleet {

/// Keeps each agent's in the order heard. Agents take turns, so that some that fail for ever do not
/// keep the others waiting.
///
/// Thread safety: none.
class HeldBirths {
 public:
  [[nodiscard]] bool empty() const { return held_.empty(); }
  [[nodiscard]] bool has(EdgeNodeId agent) const { return held_.count(agent) > 0; }
  void hold(Heard heard) { held_[heard.agent].push_back(std::move(heard)); }
  /// Take all of some agents, at least `count` if there are so many.
  std::vector<Heard> take(std::size_t count) {
    std::vector<Heard> some;
    auto next = held_.upper_bound(last_);
    while (!held_.empty() && some.size() < count) {
      if (next == held_.end()) next = held_.begin();
      last_ = next->first;
      std::move(next->second.begin(), next->second.end(), std::back_inserter(some));
      next = held_.erase(next);
    }
    return some;
  }

 private:
  std::map<EdgeNodeId, std::vector<Heard>> held_;
  EdgeNodeId last_;
};

}  // namespace ecp::inline v0::fleet
