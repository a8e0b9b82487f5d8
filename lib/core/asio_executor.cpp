// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <ecp/core/executor.hpp>

#include "core/thread.hpp"

namespace ecp::inline v0 {

Executor::~Executor() = default;

struct ExecutorThread::State {
  struct Timer {
    asio::steady_timer timer;
    Task task;
  };

  asio::io_context context{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{context.get_executor()};
  std::mutex mutex;
  std::unordered_map<std::uint64_t, Timer> timers;
  std::uint64_t last_timer = 0;
  bool stopping = false;
  std::unique_ptr<Thread> thread;

  /// A timer that is no longer in the table was cancelled, even if its time had come already.
  void fire(std::uint64_t number) {
    Task task;
    {
      const std::lock_guard lock(mutex);
      auto entry = timers.extract(number);
      if (entry.empty()) return;
      task = std::move(entry.mapped().task);
    }
    task();
  }
};

ExecutorThread::ExecutorThread(const char* thread_name) : state_(std::make_unique<State>()) {
  state_->thread =
      std::make_unique<Thread>(thread_name, [state = state_.get()] { state->context.run(); });
}

ExecutorThread::~ExecutorThread() { stop(); }

void ExecutorThread::post(Task task) {
  const std::lock_guard lock(state_->mutex);
  if (!state_->stopping) asio::post(state_->context, std::move(task));
}

TimerId ExecutorThread::post_after(Milliseconds delay, Task task) {
  const std::lock_guard lock(state_->mutex);
  if (state_->stopping) return TimerId::none;
  const std::uint64_t number = ++state_->last_timer;
  const auto entry = state_->timers.emplace(
      number, State::Timer{asio::steady_timer(state_->context), std::move(task)});
  auto& timer = entry.first->second.timer;
  timer.expires_after(std::max(delay, Milliseconds{0}));
  timer.async_wait(
      [state = state_.get(), number](const auto& /*problem*/) { state->fire(number); });
  return TimerId{number};
}

void ExecutorThread::cancel(TimerId timer) noexcept {
  // The task is destroyed after the lock is gone: it may own things that call back here.
  decltype(state_->timers)::node_type entry;
  const std::lock_guard lock(state_->mutex);
  entry = state_->timers.extract(static_cast<std::uint64_t>(timer));
}

void ExecutorThread::stop() noexcept {
  decltype(state_->timers) cancelled;
  {
    const std::lock_guard lock(state_->mutex);
    state_->stopping = true;
    cancelled.swap(state_->timers);
    state_->work.reset();
  }
  cancelled.clear();
  state_->thread->join();
}

}  // namespace ecp::inline v0
