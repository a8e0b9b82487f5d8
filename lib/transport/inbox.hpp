// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Bounded way from any thread into the handlers of one end of a link.

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>

#include <ecp/core/executor.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0::transport {

/// Queue of events whose handlers run on an executor in the order pushed.
///
/// Ownership: shared by its end and by the executor's tasks on their way, which may outlive the
/// end. Thread safety: any thread. Callbacks: on the executor; none starts after close() has
/// returned.
class ECP_EXPORT Inbox final : public std::enable_shared_from_this<Inbox> {
 public:
  Inbox(Executor& executor, std::size_t max_count, std::size_t max_octets);

  /// Queue a message of some octets; false and counted when the queue is full.
  bool push(std::size_t octets, Task handler);
  /// Queue a change of state, which is never dropped.
  void push_state(Task handler);
  void close();
  [[nodiscard]] std::uint64_t dropped() const;

 private:
  struct Event {
    std::size_t octets;
    Task handler;
  };
  void add(Event event, std::unique_lock<std::mutex> lock);
  void run_one();

  Executor& executor_;
  const std::size_t max_count_;
  const std::size_t max_octets_;
  mutable std::mutex mutex_;
  std::deque<Event> events_;
  std::size_t octets_ = 0;
  std::uint64_t dropped_ = 0;
  bool closed_ = false;
};

}  // namespace ecp::inline v0::transport
