// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/guard_proof.hpp"

#include <utility>

namespace ecp::inline v0::transport {

namespace {

constexpr Milliseconds proof_interval{60'000};
// A broker that cannot be reached is soon back; one with a hole waits for somebody to mend it.
constexpr Milliseconds pause_unreachable{500};
constexpr Milliseconds pause_hole{5'000};

/// Not to be reached is no hole; the connection itself tells whether it still stands.
bool is_hole(const Error& error) { return error.code() == ErrorCode::failed_precondition; }

}  // namespace

GuardProof::GuardProof(std::function<Result<void>()> prove, std::function<void()> reconnect,
                       Env env)
    : prove_(std::move(prove)), reconnect_(std::move(reconnect)), env_(env) {}

bool GuardProof::take() {
  if (std::exchange(proven_, false)) return true;
  begin();
  return false;
}

void GuardProof::connected(bool is_up) {
  up_ = is_up;
  env_.executor.cancel(std::exchange(timer_, TimerId::none));
  if (up_) plan();
}

void GuardProof::stop() noexcept { stopped_ = true; }

void GuardProof::plan() {
  timer_ = env_.executor.post_after(proof_interval, [weak = weak_from_this()] {
    if (const auto self = weak.lock()) self->begin();
  });
}

void GuardProof::begin() {
  if (stopped_ || running_ || env_.clock.steady() < not_before_) return;
  running_ = true;
  env_.workers.post([weak = weak_from_this()] {
    const auto self = weak.lock();
    if (!self || self->stopped_) return;
    auto outcome = self->prove_();
    self->env_.executor.post([weak, outcome = std::move(outcome)] {
      if (const auto alive = weak.lock()) alive->settle(outcome);
    });
  });
}

/// Once for each problem: it may last.
void GuardProof::tell(const Error& error) {
  not_before_ = env_.clock.steady() + (is_hole(error) ? pause_hole : pause_unreachable);
  const auto problem = error.describe();
  if (problem == told_) return;
  told_ = problem;
  env_.log.error("transport", "the broker's guard is not proven", {{"problem", problem}});
}

void GuardProof::settle(const Result<void>& outcome) {
  running_ = false;
  if (stopped_) return;
  if (outcome) {
    told_.clear();
  } else {
    tell(outcome.error());
  }
  if (up_) {
    if (outcome || !is_hole(outcome.error())) return plan();
    env_.log.error("transport", "nothing more is taken from the broker");
    reconnect_();
  } else if (outcome) {
    proven_ = true;
    reconnect_();
  }
}

}  // namespace ecp::inline v0::transport
