// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A program of the simulated world: it can stand still or die while the world goes on, and its
/// wall clock can be wrong.

#include <memory>

#include <ecp/core/env.hpp>

namespace ecp_test {

/// One program's executor, workers and clock, on the scheduler of the world.
///
/// Ownership: the world outlives it; tasks on their way may outlive it and do nothing then.
class SimProcess {
 public:
  explicit SimProcess(ecp::ManualEnv& world);
  ~SimProcess();
  SimProcess(const SimProcess&) = delete;
  SimProcess& operator=(const SimProcess&) = delete;

  [[nodiscard]] ecp::Env env();

  /// Nothing of it runs from now on; what comes due waits, as for a stopped process.
  void freeze();
  void thaw();
  [[nodiscard]] bool is_frozen() const;
  /// Inside a task of it: the same, until it goes on, though it be thawed meanwhile. Other tasks
  /// would wait for what this one has locked.
  void interrupt();
  void go_on();
  /// Its threads are gone: nothing that was posted ever runs. The next program starts afresh.
  void die();
  /// A task of it is being run right now, perhaps interrupted.
  [[nodiscard]] bool is_inside() const;
  /// The program whose task runs; null between tasks.
  [[nodiscard]] static SimProcess* current();

  /// How far its wall clock is ahead of the world's.
  void set_clock_ahead(ecp::Milliseconds ahead);
  [[nodiscard]] ecp::Milliseconds clock_ahead() const;

  struct State;

 private:
  std::shared_ptr<State> state_;  ///< Shared with tasks on their way.
};

}  // namespace ecp_test
