// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <deque>
#include <map>
#include <mutex>
#include <utility>

#include <ecp/core/executor.hpp>
#include <ecp/core/random.hpp>

namespace ecp::inline v0 {

struct ManualExecutor::State final : public Workers {
  struct Entry {
    std::uint64_t order;
    TimerId timer;
    Task task;
  };
  using Due = std::pair<SteadyTime, std::uint64_t>;

  State(ManualClock& world_clock, std::uint64_t seed)
      : clock(world_clock), random(seed), is_seeded(seed != 0) {}

  void post(Task task) override {
    const std::lock_guard lock(mutex);
    worker_tasks.push_back({++last_order, TimerId::none, std::move(task)});
  }

  /// Timers whose time has come join the executor's tasks, in the order of their times.
  void collect_due() {
    const SteadyTime now = clock.steady();
    while (!timers.empty() && timers.begin()->first.first <= now) {
      auto entry = timers.extract(timers.begin());
      executor_tasks.push_back(
          {++last_order, TimerId{entry.key().second}, std::move(entry.mapped())});
    }
  }

  bool is_executors_turn() {
    if (executor_tasks.empty() || worker_tasks.empty()) return !executor_tasks.empty();
    if (is_seeded) return random.below(2) == 0;
    return executor_tasks.front().order < worker_tasks.front().order;
  }

  /// Return the next task, or an empty one when nothing is due.
  Task take() {
    const std::lock_guard lock(mutex);
    collect_due();
    if (executor_tasks.empty() && worker_tasks.empty()) return {};
    const bool from_executor = is_executors_turn();
    auto& queue = from_executor ? executor_tasks : worker_tasks;
    // Workers finish in any order, the executor keeps its own.
    const std::size_t index = from_executor || !is_seeded ? 0 : random.below(queue.size());
    const auto place = queue.begin() + static_cast<std::ptrdiff_t>(index);
    Task task = std::move(place->task);
    queue.erase(place);
    return task;
  }

  ManualClock& clock;
  SeededRandom random;
  const bool is_seeded;
  std::mutex mutex;
  std::uint64_t last_order = 0;
  std::uint64_t last_timer = 0;
  std::deque<Entry> executor_tasks;
  std::deque<Entry> worker_tasks;
  std::map<Due, Task> timers;
};

ManualExecutor::ManualExecutor(ManualClock& clock, std::uint64_t seed)
    : state_(std::make_unique<State>(clock, seed)) {}

ManualExecutor::~ManualExecutor() = default;

void ManualExecutor::post(Task task) {
  const std::lock_guard lock(state_->mutex);
  state_->executor_tasks.push_back({++state_->last_order, TimerId::none, std::move(task)});
}

TimerId ManualExecutor::post_after(Milliseconds delay, Task task) {
  const std::lock_guard lock(state_->mutex);
  const auto due = state_->clock.steady() + std::max(delay, Milliseconds{0});
  const std::uint64_t number = ++state_->last_timer;
  state_->timers.emplace(State::Due{due, number}, std::move(task));
  return TimerId{number};
}

void ManualExecutor::cancel(TimerId timer) noexcept {
  if (timer == TimerId::none) return;
  Task forgotten;  // Destroyed after the lock is gone: it may own things that call back here.
  const std::lock_guard lock(state_->mutex);
  const auto number = static_cast<std::uint64_t>(timer);
  auto& timers = state_->timers;
  const auto pending = std::find_if(timers.begin(), timers.end(), [number](const auto& entry) {
    return entry.first.second == number;
  });
  if (pending != timers.end()) {
    forgotten = std::move(pending->second);
    timers.erase(pending);
    return;
  }
  auto& queue = state_->executor_tasks;
  const auto queued = std::find_if(queue.begin(), queue.end(),
                                   [timer](const auto& entry) { return entry.timer == timer; });
  if (queued == queue.end()) return;
  forgotten = std::move(queued->task);
  queue.erase(queued);
}

Workers& ManualExecutor::workers() noexcept { return *state_; }

std::size_t ManualExecutor::run_ready() {
  std::size_t count = 0;
  for (Task task = state_->take(); task; task = state_->take()) {
    task();
    ++count;
  }
  return count;
}

void ManualExecutor::advance(Milliseconds step) {
  const SteadyTime target = state_->clock.steady() + step;
  run_ready();
  while (state_->clock.steady() < target) {
    SteadyTime stop = target;
    {
      const std::lock_guard lock(state_->mutex);
      if (!state_->timers.empty()) stop = std::min(stop, state_->timers.begin()->first.first);
    }
    state_->clock.advance(std::chrono::ceil<Milliseconds>(stop - state_->clock.steady()));
    run_ready();
  }
}

}  // namespace ecp::inline v0
