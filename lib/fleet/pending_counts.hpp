// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How much of one kind each agent has under way.

#include <cstddef>
#include <mutex>
#include <unordered_map>

#include <ecp/fleet/ids.hpp>

namespace ecp::inline v0::fleet {

/// Counts for each agent what was heard and is not dealt with yet.
///
/// Thread safety: any thread.
class PendingCounts {
 public:
  /// Return how many of the agent wait now.
  std::size_t add(EdgeNodeId agent) {
    const std::lock_guard lock(mutex_);
    return ++counts_[agent];
  }
  void settle(EdgeNodeId agent) {
    const std::lock_guard lock(mutex_);
    const auto found = counts_.find(agent);
    if (found != counts_.end() && --found->second == 0) counts_.erase(found);
  }
  [[nodiscard]] bool has(EdgeNodeId agent) const {
    const std::lock_guard lock(mutex_);
    return counts_.count(agent) > 0;
  }

  /// Settles one when its scope ends, by an exception, too.
  class Settling {
   public:
    Settling(PendingCounts& counts, EdgeNodeId agent) : counts_(counts), agent_(agent) {}
    ~Settling() { counts_.settle(agent_); }
    Settling(const Settling&) = delete;
    Settling& operator=(const Settling&) = delete;

   private:
    PendingCounts& counts_;
    EdgeNodeId agent_;
  };

 private:
  mutable std::mutex mutex_;
  std::unordered_map<EdgeNodeId, std::size_t> counts_;
};

}  // namespace ecp::inline v0::fleet
