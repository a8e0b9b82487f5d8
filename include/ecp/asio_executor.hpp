// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Executor over the Asio that the including program has; compiled by that program alone, never by
/// the library.

#include <algorithm>
#include <asio/io_context.hpp>
#include <asio/post.hpp>
#include <asio/steady_timer.hpp>
#include <cstdint>
#include <memory>
#include <mutex>
#include <unordered_map>
#include <utility>

#include <ecp/core/executor.hpp>

namespace ecp::inline v0 {

/// Runs the library's short tasks and timers on a program's own asio::io_context.
///
/// Ownership: owns its timers alone; the context outlives it. One thread at most runs the context,
///   because tasks must run one after another.
/// Thread safety: any thread; destroyed when nothing of the library uses it and the context does
///   not run, or on its thread. Destroying it cancels the timers.
class AsioExecutor final : public Executor {
 public:
  explicit AsioExecutor(asio::io_context& context)
      : context_(context), table_(std::make_shared<Table>()) {}

  void post(Task task) override { asio::post(context_, std::move(task)); }

  TimerId post_after(Milliseconds delay, Task task) override {
    const std::lock_guard lock(table_->mutex);
    const std::uint64_t number = ++table_->last;
    const auto entry =
        table_->timers.emplace(number, Timer{asio::steady_timer(context_), std::move(task)});
    auto& timer = entry.first->second.timer;
    timer.expires_after(std::max(delay, Milliseconds{0}));
    // Shared with this object: a handler already queued may run after it is gone.
    timer.async_wait([table = table_, number](const auto& /*problem*/) { table->fire(number); });
    return TimerId{number};
  }

  void cancel(TimerId timer) noexcept override {
    decltype(Table::timers)::node_type entry;  // Destroyed when the lock is gone.
    const std::lock_guard lock(table_->mutex);
    entry = table_->timers.extract(static_cast<std::uint64_t>(timer));
  }

  ~AsioExecutor() override {
    decltype(Table::timers) cancelled;
    const std::lock_guard lock(table_->mutex);
    cancelled.swap(table_->timers);
  }

 private:
  struct Timer {
    asio::steady_timer timer;
    Task task;
  };
  struct Table {
    std::mutex mutex;
    std::unordered_map<std::uint64_t, Timer> timers;
    std::uint64_t last = 0;

    void fire(std::uint64_t number) {
      Task task;
      {
        const std::lock_guard lock(mutex);
        auto entry = timers.extract(number);
        if (entry.empty()) return;
        task = std::move(entry.mapped().task);
      }
      task();
    }
  };

  asio::io_context& context_;
  std::shared_ptr<Table> table_;
};

}  // namespace ecp::inline v0
