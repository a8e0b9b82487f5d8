// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A bounded queue of messages whose turn comes on the workers, one task at a time.

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <functional>
#include <iterator>
#include <memory>
#include <mutex>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/fleet/ingest.hpp>

#include "core/guarded_task.hpp"

namespace ecp::inline v0::fleet {

/// Hands messages over in the order heard, as many at once as have gathered, up to a bound. An
/// exception is logged and costs the messages at hand; the work keeps what does not come again.
///
/// Thread safety: any thread.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  using Work = std::function<void(std::vector<Heard>&)>;
  Lane(Work work, std::size_t at_once, Env env)
      : work_(std::move(work)), at_once_(at_once), env_(env) {}

  /// False when the lane is full or stopped; the agent will send again. What is `vital` goes into a
  /// full lane, too.
  bool push(Heard heard, bool vital = false) {
    {
      const std::lock_guard lock(mutex_);
      if (stopped_ || (!vital && queue_.size() >= env_.limits.inbound_queue)) return false;
      queue_.push_back(std::move(heard));
      if (scheduled_) return true;
      scheduled_ = true;
    }
    post();
    return true;
  }
  /// Have the work done once more soon, also without a message.
  void wake() {
    {
      const std::lock_guard lock(mutex_);
      if (stopped_) return;
      woken_ = true;
      if (scheduled_) return;
      scheduled_ = true;
    }
    post();
  }
  /// Drop what waits, and wait for what runs.
  void stop() noexcept {
    std::unique_lock lock(mutex_);
    stopped_ = true;
    queue_.clear();
    idle_.wait(lock, [this] { return !running_; });
  }
  [[nodiscard]] std::size_t size() const {
    const std::lock_guard lock(mutex_);
    return queue_.size();
  }

 private:
  void post() {
    env_.workers.post([lane = shared_from_this()] { lane->run(); });
  }
  void run() {
    std::vector<Heard> some;
    {
      const std::lock_guard lock(mutex_);
      scheduled_ = false;
      if (stopped_) return;
      woken_ = false;
      const auto count = std::min(queue_.size(), at_once_);
      const auto end = queue_.begin() + static_cast<std::ptrdiff_t>(count);
      some.assign(std::make_move_iterator(queue_.begin()), std::make_move_iterator(end));
      queue_.erase(queue_.begin(), end);
      scheduled_ = true;  // Nobody else begins before this is done.
      running_ = true;
    }
    run_guarded(env_.log, "a lane of the fleet", [&] { work_(some); });
    bool more = false;
    {
      const std::lock_guard lock(mutex_);
      running_ = false;
      more = !stopped_ && (woken_ || !queue_.empty());
      scheduled_ = more;
      idle_.notify_all();
    }
    if (more) post();
  }

  Work work_;
  std::size_t at_once_;
  Env env_;
  mutable std::mutex mutex_;
  std::condition_variable idle_;
  std::deque<Heard> queue_;
  bool scheduled_ = false;
  bool woken_ = false;
  bool running_ = false;
  bool stopped_ = false;
};

}  // namespace ecp::inline v0::fleet
