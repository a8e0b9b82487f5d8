// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The one thread of all Modbus connections, and timers that fire on it.

#include <asio/executor_work_guard.hpp>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <optional>

#include <ecp/core/env.hpp>

#include "core/thread.hpp"

namespace ecp::inline v0::pipeline::modbus {

/// Runs an io_context; starts with the first use, ends with stop().
class IoThread {
 public:
  IoThread() : guard_(asio::make_work_guard(context_)) {}
  ~IoThread() { stop(); }
  IoThread(const IoThread&) = delete;
  IoThread& operator=(const IoThread&) = delete;

  void start() {
    if (!thread_) thread_.emplace("ecp-modbus", [this] { context_.run(); });
  }
  /// Finish what is left and join; not from the thread itself.
  void stop() {
    guard_.reset();
    if (thread_) thread_->join();
  }
  [[nodiscard]] asio::io_context& context() noexcept { return context_; }
  void post(std::function<void()> task) { asio::post(context_, std::move(task)); }

 private:
  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::optional<Thread> thread_;
};

/// Wakes its owner on the io thread at the earliest time asked for; may wake too often, never late.
///
/// Ownership: shared with timers on their way, which do nothing once the owner is gone.
class Waker : public std::enable_shared_from_this<Waker> {
 public:
  Waker(Env env, std::shared_ptr<IoThread> io, std::function<void()> wake)
      : env_(env), io_(std::move(io)), wake_(std::move(wake)) {}

  void at(SteadyTime when) {
    if (when >= armed_) return;
    armed_ = when;
    const auto wait = std::chrono::ceil<Milliseconds>(when - env_.clock.steady());
    env_.executor.post_after(std::max(wait, Milliseconds{0}),
                             [waker = weak_from_this(), io = std::weak_ptr(io_)] {
                               if (const auto alive = io.lock()) {
                                 alive->post([waker] {
                                   if (const auto self = waker.lock()) self->fire();
                                 });
                               }
                             });
  }
  void cancel() { wake_ = nullptr; }

 private:
  void fire() {
    armed_ = SteadyTime::max();
    if (wake_) wake_();
  }

  Env env_;
  std::shared_ptr<IoThread> io_;  // Shared with the factory and all its drivers.
  std::function<void()> wake_;
  SteadyTime armed_ = SteadyTime::max();
};

}  // namespace ecp::inline v0::pipeline::modbus
