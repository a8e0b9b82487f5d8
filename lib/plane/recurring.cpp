// SPDX-License-Identifier: Apache-2.0
#include "plane/recurring.hpp"

#include <condition_variable>
#include <mutex>

#include "core/guarded_task.hpp"

namespace ecp::inline v0::plane {

struct Recurring::State : std::enable_shared_from_this<Recurring::State> {
  State(Milliseconds interval_in, std::function<void()> task_in, Env env_in)
      : interval(interval_in), task(std::move(task_in)), env(env_in) {}

  const Milliseconds interval;
  const std::function<void()> task;
  Env env;
  std::mutex mutex;
  std::condition_variable idle;
  TimerId timer = TimerId::none;
  bool running = false;
  bool stopped = false;

  void wait() {
    const std::lock_guard lock(mutex);
    if (stopped) return;
    timer = env.executor.post_after(
        interval, [self = shared_from_this()] { self->env.workers.post([self] { self->run(); }); });
  }

  void run() {
    {
      const std::lock_guard lock(mutex);
      if (stopped) return;
      running = true;
    }
    run_guarded(env.log, "a recurring task", task);
    {
      const std::lock_guard lock(mutex);
      running = false;
    }
    idle.notify_all();
    wait();
  }
};

Recurring::Recurring(Milliseconds interval, std::function<void()> task, Env env)
    : state_(std::make_shared<State>(interval, std::move(task), env)) {}

Recurring::~Recurring() { stop(); }

void Recurring::start() { state_->wait(); }

void Recurring::stop() noexcept {
  std::unique_lock lock(state_->mutex);
  state_->stopped = true;
  state_->env.executor.cancel(state_->timer);
  state_->idle.wait(lock, [this] { return !state_->running; });
}

}  // namespace ecp::inline v0::plane
