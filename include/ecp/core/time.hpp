// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Points in time and the port that tells them. Nothing outside an Env reads a clock.

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0 {

using Milliseconds = std::chrono::milliseconds;

/// UTC wall-clock time with millisecond steps; on the wire and in SQL the integer of `to_ms`.
using Time = std::chrono::time_point<std::chrono::system_clock, Milliseconds>;

/// Monotonic time for intervals, never stored; nanosecond steps.
using SteadyTime = std::chrono::time_point<std::chrono::steady_clock, std::chrono::nanoseconds>;

/// Milliseconds since 1970-01-01T00:00:00Z.
[[nodiscard]] constexpr std::int64_t to_ms(Time time) noexcept {
  return time.time_since_epoch().count();
}
[[nodiscard]] constexpr Time from_ms(std::int64_t milliseconds) noexcept {
  return Time{Milliseconds{milliseconds}};
}

/// Return RFC 3339 text in UTC with milliseconds: "2026-11-21T09:20:00.123Z".
[[nodiscard]] ECP_EXPORT std::string to_rfc3339(Time time);
/// Parse RFC 3339 text. Fails with `invalid_argument`.
[[nodiscard]] ECP_EXPORT Result<Time> parse_rfc3339(std::string_view text);

/// Tells the time.
///
/// Thread safety: any thread.
class ECP_EXPORT Clock {
 public:
  virtual ~Clock();
  [[nodiscard]] virtual Time now() const = 0;
  [[nodiscard]] virtual SteadyTime steady() const = 0;
};

/// A clock that stands still until it is moved; for tests and the simulation. Moving it does not
/// run timers by itself: ManualExecutor::advance does both.
class ECP_EXPORT ManualClock final : public Clock {
 public:
  explicit ManualClock(Time start = from_ms(1'700'000'000'000));
  ~ManualClock() override;
  [[nodiscard]] Time now() const override;
  [[nodiscard]] SteadyTime steady() const override;
  /// Move both times forward.
  void advance(Milliseconds step);
  /// Move the wall clock alone, as an operator or NTP would.
  void step_wall(Milliseconds step);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0
