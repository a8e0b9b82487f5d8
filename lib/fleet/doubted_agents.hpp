// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Agents whose present connection is not known until they have told it.

#include <map>
#include <mutex>

#include <ecp/fleet/ids.hpp>

namespace ecp::inline v0::fleet {

/// Nothing of such an agent is taken meanwhile: it may run on a disk of an earlier day, whose
/// numbers stand for other samples here.
///
/// Thread safety: any thread.
class DoubtedAgents {
 public:
  /// An agent that answers none of so many questions is gone; back again it shows itself anew.
  static constexpr int most_questions = 12;

  /// True when the agent is to be asked now; false when it is under question already.
  bool add(EdgeNodeId agent) {
    const std::lock_guard lock(mutex_);
    return questions_.try_emplace(agent, 1).second;
  }
  /// True when an agent that did not answer is to be asked again.
  bool ask_again(EdgeNodeId agent) {
    const std::lock_guard lock(mutex_);
    const auto found = questions_.find(agent);
    if (found == questions_.end()) return false;
    if (found->second++ < most_questions) return true;
    questions_.erase(found);
    return false;
  }
  void settle(EdgeNodeId agent) {
    const std::lock_guard lock(mutex_);
    questions_.erase(agent);
  }
  [[nodiscard]] bool has(EdgeNodeId agent) const {
    const std::lock_guard lock(mutex_);
    return questions_.count(agent) > 0;
  }

 private:
  mutable std::mutex mutex_;
  std::map<EdgeNodeId, int> questions_;
};

}  // namespace ecp::inline v0::fleet
