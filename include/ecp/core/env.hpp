// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a piece of the product takes from the world around it.

#include <memory>

#include <ecp/core/executor.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/log.hpp>
#include <ecp/core/random.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0 {

/// References to the clock, randomness, ids, executor, workers, log and limits; copied freely.
///
/// Ownership: owns nothing; whoever made it (RealEnv, ManualEnv, an OEM's program) outlives it.
struct Env {
  const Clock& clock;
  Random& random;
  IdSource& ids;
  Executor& executor;
  Workers& workers;
  LogSink& log;
  const Limits& limits;
};

/// The real world: system clock, libsodium, one executor thread, some workers.
///
/// Ownership: owns all its parts; destroyed after everything that uses `env()`.
class ECP_EXPORT RealEnv {
 public:
  /// `log` must outlive this object.
  RealEnv(LogSink& log, unsigned worker_threads, const Limits& limits = default_limits);
  ~RealEnv();
  RealEnv(const RealEnv&) = delete;
  RealEnv& operator=(const RealEnv&) = delete;
  [[nodiscard]] Env env();
  /// Stop executor and workers and join their threads; idempotent.
  void stop() noexcept;

 private:
  struct Parts;
  std::unique_ptr<Parts> parts_;
};

/// The system's clocks; for programs that need a clock before they have an Env.
[[nodiscard]] ECP_EXPORT const Clock& system_clock() noexcept;

/// A world that moves only when told to; everything in it comes from one seed.
class ECP_EXPORT ManualEnv {
 public:
  explicit ManualEnv(std::uint64_t seed = 1, const Limits& limits = default_limits);
  [[nodiscard]] Env env() {
    return {clock, random, ids, executor, executor.workers(), log, limits_};
  }

  ManualClock clock;
  SeededRandom random;
  IdSource ids;
  ManualExecutor executor;
  MemoryLog log;

 private:
  const Limits& limits_;
};

}  // namespace ecp::inline v0
