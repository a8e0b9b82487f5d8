// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/env.hpp>

#include <sodium.h>

#include "core/guarded_task.hpp"

namespace ecp::inline v0 {
namespace {

class SystemClock final : public Clock {
 public:
  [[nodiscard]] Time now() const override {
    return std::chrono::floor<Milliseconds>(std::chrono::system_clock::now());
  }
  [[nodiscard]] SteadyTime steady() const override { return std::chrono::steady_clock::now(); }
};

class SodiumRandom final : public Random {
 public:
  SodiumRandom() {
    // Counted inside libsodium. Failing means that the kernel has no randomness: nothing can run.
    if (sodium_init() < 0) std::abort();
  }
  void fill(std::span<std::uint8_t> octets) override {
    randombytes_buf(octets.data(), octets.size());
  }
};

}  // namespace

const Clock& system_clock() noexcept {
  static const SystemClock clock;
  return clock;
}

struct RealEnv::Parts {
  Parts(LogSink& sink, unsigned worker_threads, const Limits& table)
      : guarded_executor(executor, sink, "executor"),
        workers(worker_threads),
        guarded_workers(workers, sink, "worker"),
        log(sink),
        limits(table) {}

  SodiumRandom random;
  IdSource ids{system_clock(), random};
  ExecutorThread executor;
  GuardedExecutor guarded_executor;
  WorkerPool workers;
  GuardedWorkers guarded_workers;
  LogSink& log;
  const Limits& limits;
};

RealEnv::RealEnv(LogSink& log, unsigned worker_threads, const Limits& limits)
    : parts_(std::make_unique<Parts>(log, worker_threads, limits)) {}

RealEnv::~RealEnv() { stop(); }

Env RealEnv::env() {
  return {system_clock(),          parts_->random, parts_->ids,   parts_->guarded_executor,
          parts_->guarded_workers, parts_->log,    parts_->limits};
}

void RealEnv::stop() noexcept {
  // Workers first: what they finish is posted to the executor, which still runs it.
  parts_->workers.stop();
  parts_->executor.stop();
}

ManualEnv::ManualEnv(std::uint64_t seed, const Limits& limits)
    : random(seed), ids(clock, random), executor(clock, seed), limits_(limits) {}

}  // namespace ecp::inline v0
