// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Keeps a gateway off a broker that does not refuse what it must.

#include <atomic>
#include <functional>
#include <memory>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::transport {

/// Proves the guard of a broker that is not in our care, before each connection and in the course
/// of it: whoever runs the broker may change it at any time.
///
/// Ownership: shared by the gateway's handlers and by proofs and timers on their way.
/// Thread safety: on the executor; stop() from any thread. The proof itself runs on a worker.
class GuardProof final : public std::enable_shared_from_this<GuardProof> {
 public:
  /// `reconnect` is called on the executor: after a proof, to make the connection that waits for
  /// it; and after a failed one, to give up the connection that there is.
  GuardProof(std::function<Result<void>()> prove, std::function<void()> reconnect, Env env);

  /// True when a proof is at hand, which counts for one connection; else one is begun.
  [[nodiscard]] bool take();
  /// The gateway's connection is up, or is so no longer.
  void connected(bool is_up);
  void stop() noexcept;

 private:
  void begin();
  void settle(const Result<void>& outcome);
  void tell(const Error& error);
  void plan();

  const std::function<Result<void>()> prove_;
  const std::function<void()> reconnect_;
  const Env env_;
  std::atomic<bool> stopped_ = false;
  bool running_ = false;
  bool proven_ = false;
  bool up_ = false;
  SteadyTime not_before_{};
  std::string told_;  ///< The problem that was logged last.
  TimerId timer_ = TimerId::none;
};

}  // namespace ecp::inline v0::transport
