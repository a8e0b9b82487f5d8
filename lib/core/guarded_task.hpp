// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Tasks whose exceptions are logged instead of ending the program.

#include <exception>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include <ecp/core/executor.hpp>
#include <ecp/core/log.hpp>

namespace ecp::inline v0 {

/// Run a task. Nothing of ours throws, so what escapes is a defect, often of a vendor's code: it is
/// logged as an error that names the place, and the caller goes on with its next task. Only
/// std::bad_alloc passes and may end the program: who is out of memory had better start anew.
template <class Body>
void run_guarded(LogSink& log, std::string_view place, const Body& body) {
  const auto tell = [&](std::string_view what) {
    log.error("core", "an exception escaped a task",
              {{"place", std::string(place)}, {"what", std::string(what)}});
  };
  try {
    body();
  } catch (const std::bad_alloc&) {
    throw;
  } catch (const std::exception& problem) {
    tell(problem.what());
  } catch (...) {
    tell("something that is no std::exception");
  }
}

/// Workers whose threads outlive every task. Ownership: pool and log outlive it. Thread safety: any
/// thread.
class GuardedWorkers final : public Workers {
 public:
  GuardedWorkers(Workers& pool, LogSink& log, const char* place)
      : pool_(pool), log_(log), place_(place) {}
  void post(Task task) override {
    pool_.post(
        [&log = log_, place = place_, task = std::move(task)] { run_guarded(log, place, task); });
  }

 private:
  Workers& pool_;
  LogSink& log_;
  const char* place_;
};

/// Executor whose thread outlives every task. Ownership: executor and log outlive it. Thread
/// safety: any thread.
class GuardedExecutor final : public Executor {
 public:
  GuardedExecutor(Executor& executor, LogSink& log, const char* place)
      : executor_(executor), log_(log), place_(place) {}
  void post(Task task) override { executor_.post(guarded(std::move(task))); }
  TimerId post_after(Milliseconds delay, Task task) override {
    return executor_.post_after(delay, guarded(std::move(task)));
  }
  void cancel(TimerId timer) noexcept override { executor_.cancel(timer); }

 private:
  [[nodiscard]] Task guarded(Task task) const {
    return [&log = log_, place = place_, task = std::move(task)] { run_guarded(log, place, task); };
  }

  Executor& executor_;
  LogSink& log_;
  const char* place_;
};

}  // namespace ecp::inline v0
