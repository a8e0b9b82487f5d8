// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Lets other threads end the wait of a thread for its socket.

#include <ecp/core/result.hpp>

namespace ecp::inline v0::transport {

/// Thread safety: `wake` any thread, once `open` has returned; `wait` the waiting thread.
class Wakeup {
 public:
  Wakeup() = default;
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  /// Fails with `unavailable` when the system has no descriptor left.
  [[nodiscard]] Result<void> open();
  /// End the wait that is under way, or the next one.
  void wake() noexcept;
  /// Wait for a wake, or for `events` of poll(2) on `descriptor`, none when it is negative; at most
  /// `timeout_ms`, for ever when that is negative. Return what happened to the descriptor.
  short wait(int descriptor, short events, int timeout_ms) const noexcept;

 private:
  int event_ = -1;
};

}  // namespace ecp::inline v0::transport
