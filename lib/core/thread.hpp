// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Threads as the library starts them.

#include <pthread.h>

#include <functional>
#include <memory>

#include <ecp/core/export.hpp>

namespace ecp::inline v0 {

/// A joinable thread with a name, a modest stack and all signals blocked from its first
/// instruction.
///
/// Ownership: must be joined before it is destroyed.
class ECP_EXPORT Thread {
 public:
  /// Start `body` at once. `name` has at most 15 characters. Throws std::bad_alloc when the system
  /// has no thread to give.
  Thread(const char* name, std::function<void()> body);
  ~Thread();
  Thread(Thread&&) = delete;
  Thread& operator=(Thread&&) = delete;

  /// Wait for the end; idempotent. Called from the thread itself it does nothing.
  void join() noexcept;
  [[nodiscard]] bool is_current() const noexcept;

 private:
  pthread_t handle_{};
  bool is_joined_ = false;
};

}  // namespace ecp::inline v0
