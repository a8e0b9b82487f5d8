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

/// Queue of events whose handlers run on an executor in the order pushed. One task runs what has
/// gathered, up to a bound: a burst costs few tasks, and a long queue does not keep the executor
/// from its other work.
///
/// Ownership: shared by its end and by the executor's tasks on their way, which may outlive the
/// end. Thread safety: any thread. Callbacks: on the executor; none starts after close() has
/// returned. An exception passes to the executor; the events behind it come in the next task.
class ECP_EXPORT Inbox final : public std::enable_shared_from_this<Inbox> {
 public:
  /// Events that one task runs at most.
  static constexpr std::size_t events_at_once = 100;

  /// While one lives, nothing is posted for what is pushed; at its end a task is, if need be. Made
  /// by a thread that reads many messages at once; an inbox has one at a time.
  class ECP_EXPORT Burst final {
   public:
    explicit Burst(Inbox& inbox);
    ~Burst();
    Burst(const Burst&) = delete;
    Burst& operator=(const Burst&) = delete;

   private:
    Inbox& inbox_;
  };

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
  void post_if_needed(std::unique_lock<std::mutex> lock);
  void run_some();
  [[nodiscard]] bool run_one();
  void end_run();

  Executor& executor_;
  const std::size_t max_count_;
  const std::size_t max_octets_;
  mutable std::mutex mutex_;  ///< Guards what follows.
  std::deque<Event> events_;
  std::size_t octets_ = 0;
  std::uint64_t dropped_ = 0;
  bool in_burst_ = false;
  bool posted_ = false;  ///< A task is on its way or runs.
  bool closed_ = false;
};

}  // namespace ecp::inline v0::transport
