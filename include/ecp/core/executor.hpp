// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Where work runs: one executor for short callbacks and timers, workers for blocking work.

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>

#include <ecp/core/export.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0 {

using Task = std::function<void()>;

/// Names a pending timer; 0 names none.
enum class TimerId : std::uint64_t { none = 0 };

/// Runs short, non-blocking tasks one after another, in the order posted; and all timers.
///
/// Thread safety: any thread, also from a running task.
/// Callbacks: never inside post() or post_after().
class ECP_EXPORT Executor {
 public:
  virtual ~Executor();
  /// Queue a task; after a stop it is dropped.
  virtual void post(Task task) = 0;
  /// Run a task once after a delay. Nothing else in the library starts a timer.
  virtual TimerId post_after(Milliseconds delay, Task task) = 0;
  /// Forget a timer. One whose task has begun or run is ignored; when called from a task of this
  /// executor, the cancelled task will not run.
  virtual void cancel(TimerId timer) noexcept = 0;
};

/// Runs blocking tasks (all domain code and store calls) on a small pool, in no set order.
///
/// Thread safety: any thread.
class ECP_EXPORT Workers {
 public:
  virtual ~Workers();
  /// Queue a task; after a stop it is dropped. The queue is bounded by the caller's own limits, not
  /// here.
  virtual void post(Task task) = 0;
};

/// Executor and workers in one: a single-threaded scheduler that runs when told to. For unit tests
/// and the simulation.
///
/// Seed 0 runs everything first in, first out. Any other seed draws, before each task, whether the
/// executor's next task or one of the workers' tasks runs; the executor's own order stays.
class ECP_EXPORT ManualExecutor final : public Executor {
 public:
  explicit ManualExecutor(ManualClock& clock, std::uint64_t seed = 0);
  ~ManualExecutor() override;
  void post(Task task) override;
  TimerId post_after(Milliseconds delay, Task task) override;
  void cancel(TimerId timer) noexcept override;
  /// The workers' side; lives as long as this object.
  [[nodiscard]] Workers& workers() noexcept;
  operator Workers&() noexcept { return workers(); }  // NOLINT(*-explicit-*)
  /// Run everything that is due, including what it posts; return how many tasks ran.
  std::size_t run_ready();
  /// Move the clock by `step`, stopping at each timer on the way to run it.
  void advance(Milliseconds step);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// A real executor: one thread, which blocks all signals.
/// `stop()` cancels the timers, runs what was posted before, and joins.
class ECP_EXPORT ExecutorThread final : public Executor {
 public:
  explicit ExecutorThread(const char* thread_name = "ecp-exec");
  ~ExecutorThread() override;
  void post(Task task) override;
  TimerId post_after(Milliseconds delay, Task task) override;
  void cancel(TimerId timer) noexcept override;
  void stop() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// Real workers: `count` threads, which block all signals. `stop()` runs what is queued and joins.
class ECP_EXPORT WorkerPool final : public Workers {
 public:
  explicit WorkerPool(unsigned count, const char* thread_name = "ecp-work");
  ~WorkerPool() override;
  void post(Task task) override;
  void stop() noexcept;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0
