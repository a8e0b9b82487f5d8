// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A piece of upkeep that is done again and again.

#include <functional>
#include <memory>

#include <ecp/core/env.hpp>

namespace ecp::inline v0::plane {

/// Runs a task on the workers, each time an interval after it ended.
///
/// Thread safety: any thread.
class Recurring {
 public:
  Recurring(Milliseconds interval, std::function<void()> task, Env env);
  ~Recurring();
  Recurring(const Recurring&) = delete;
  Recurring& operator=(const Recurring&) = delete;
  void start();
  /// No run begins after it; waits for one that is under way.
  void stop() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: tasks posted before stop() may still run.
};

}  // namespace ecp::inline v0::plane
