// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Tasks one after another on the workers.

#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>

#include <ecp/core/executor.hpp>

#include "core/guarded_task.hpp"

namespace ecp::inline v0::agent {

/// Runs tasks in the order posted, one at a time. After close() none runs, so a task may use what
/// its owner closes the lane before destroying. An exception of a task is logged and ends that task
/// alone.
///
/// Ownership: shared with whatever may still post to it.
/// Thread safety: any thread; close() not from a task.
class Lane : public std::enable_shared_from_this<Lane> {
 public:
  Lane(Workers& workers, LogSink& log) : workers_(workers), log_(log) {}

  void post(Task task) {
    {
      const std::lock_guard lock(mutex_);
      if (is_closed_) return;
      queue_.push_back(std::move(task));
      if (std::exchange(is_posted_, true)) return;
    }
    workers_.post([lane = shared_from_this()] { lane->run(); });
  }

  void close() {
    std::unique_lock lock(mutex_);
    is_closed_ = true;
    queue_.clear();
    ended_.wait(lock, [this] { return !is_running_; });
  }

 private:
  void run() {
    std::unique_lock lock(mutex_);
    while (!queue_.empty()) {
      auto task = std::move(queue_.front());
      queue_.pop_front();
      is_running_ = true;
      lock.unlock();
      run_guarded(log_, "the agent's lane", task);
      task = nullptr;
      lock.lock();
      is_running_ = false;
      ended_.notify_all();
    }
    is_posted_ = false;
  }

  Workers& workers_;
  LogSink& log_;
  std::mutex mutex_;
  std::condition_variable ended_;
  std::deque<Task> queue_;
  bool is_posted_ = false;
  bool is_running_ = false;
  bool is_closed_ = false;
};

}  // namespace ecp::inline v0::agent
