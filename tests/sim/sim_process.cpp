// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_process.hpp"

#include <deque>
#include <map>
#include <utility>

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

SimProcess* running = nullptr;  // The simulation has one thread.

class AheadClock final : public Clock {
 public:
  explicit AheadClock(const Clock& world) : world_(world) {}
  [[nodiscard]] Time now() const override { return world_.now() + ahead; }
  [[nodiscard]] SteadyTime steady() const override { return world_.steady(); }
  Milliseconds ahead{0};

 private:
  const Clock& world_;
};

}  // namespace

struct SimProcess::State final : public Executor,
                                 public std::enable_shared_from_this<SimProcess::State> {
  struct Held {
    bool is_worker;
    std::uint64_t life;
    Task task;
  };
  struct Crew final : public Workers {
    explicit Crew(State& owner) : state(owner) {}
    void post(Task task) override { state.post_to(true, std::move(task)); }
    State& state;
  };

  State(SimProcess& owner, ManualEnv& env) : process(owner), world(env), clock(env.clock) {}

  void post(Task task) override { post_to(false, std::move(task)); }
  TimerId post_after(Milliseconds delay, Task task) override {
    const auto number = ++last_timer;
    auto guarded = [this, number, task = std::move(task)] {
      if (timers.erase(number) > 0) task();
    };
    timers[number] = TimerId::none;
    timers[number] = world.executor.post_after(delay, wrap(false, life, std::move(guarded)));
    return TimerId{number};
  }
  void cancel(TimerId timer) noexcept override {
    const auto found = timers.find(static_cast<std::uint64_t>(timer));
    if (found == timers.end()) return;
    world.executor.cancel(found->second);
    timers.erase(found);
  }

  void post_to(bool is_worker, Task task) { pass_on({is_worker, life, std::move(task)}); }
  void pass_on(Held one) {
    auto wrapped = wrap(one.is_worker, one.life, std::move(one.task));
    if (one.is_worker) {
      world.executor.workers().post(std::move(wrapped));
    } else {
      world.executor.post(std::move(wrapped));
    }
  }

  /// Runs while the program lives; waits while it stands still.
  Task wrap(bool is_worker, std::uint64_t of_life, Task task) {
    return [self = shared_from_this(), is_worker, of_life, task = std::move(task)] {
      if (self->life != of_life) return;
      if (self->is_frozen || self->is_interrupted) {
        self->held.push_back({is_worker, of_life, task});
        return;
      }
      auto* const before = std::exchange(running, &self->process);
      ++self->depth;
      task();
      --self->depth;
      running = before;
    };
  }

  SimProcess& process;
  ManualEnv& world;
  AheadClock clock;
  Crew crew{*this};
  void release() {
    if (is_frozen || is_interrupted) return;
    for (auto& one : std::exchange(held, {})) pass_on(std::move(one));
  }

  bool is_frozen = false;
  bool is_interrupted = false;
  int depth = 0;
  std::uint64_t life = 0;
  std::uint64_t last_timer = 0;
  std::map<std::uint64_t, TimerId> timers;
  std::deque<Held> held;
};

SimProcess::SimProcess(ManualEnv& world) : state_(std::make_shared<State>(*this, world)) {}
SimProcess::~SimProcess() { die(); }

Env SimProcess::env() {
  const auto world = state_->world.env();
  return {state_->clock, world.random, world.ids, *state_, state_->crew, world.log, world.limits};
}

void SimProcess::freeze() { state_->is_frozen = true; }

void SimProcess::thaw() {
  state_->is_frozen = false;
  state_->release();
}

void SimProcess::interrupt() { state_->is_interrupted = true; }

void SimProcess::go_on() {
  state_->is_interrupted = false;
  state_->release();
}

bool SimProcess::is_frozen() const { return state_->is_frozen; }

void SimProcess::die() {
  ++state_->life;
  state_->is_frozen = false;
  state_->timers.clear();
  const auto forgotten = std::exchange(state_->held, {});  // May own what calls back here.
}

bool SimProcess::is_inside() const { return state_->depth > 0; }
SimProcess* SimProcess::current() { return running; }

void SimProcess::set_clock_ahead(Milliseconds ahead) { state_->clock.ahead = ahead; }
Milliseconds SimProcess::clock_ahead() const { return state_->clock.ahead; }

}  // namespace ecp_test
