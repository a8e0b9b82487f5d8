// SPDX-License-Identifier: Apache-2.0
#include "transport/inbox.hpp"

#include <utility>

namespace ecp::inline v0::transport {

Inbox::Inbox(Executor& executor, std::size_t max_count, std::size_t max_octets)
    : executor_(executor), max_count_(max_count), max_octets_(max_octets) {}

bool Inbox::push(std::size_t octets, Task handler) {
  std::unique_lock lock(mutex_);
  if (closed_) return false;
  if (events_.size() >= max_count_ || octets_ + octets > max_octets_) {
    ++dropped_;
    return false;
  }
  add({octets, std::move(handler)}, std::move(lock));
  return true;
}

void Inbox::push_state(Task handler) {
  std::unique_lock lock(mutex_);
  if (!closed_) add({0, std::move(handler)}, std::move(lock));
}

void Inbox::add(Event event, std::unique_lock<std::mutex> lock) {
  octets_ += event.octets;
  events_.push_back(std::move(event));
  lock.unlock();
  // One task an event: a long queue must not keep the executor from its other work. Each task takes
  // the oldest event, so that the order holds whatever order the tasks run in.
  executor_.post([self = shared_from_this()] { self->run_one(); });
}

void Inbox::run_one() {
  Event event{};
  {
    const std::lock_guard lock(mutex_);
    if (closed_ || events_.empty()) return;
    event = std::move(events_.front());
    events_.pop_front();
    octets_ -= event.octets;
  }
  event.handler();
}

void Inbox::close() {
  std::deque<Event> rest;
  const std::lock_guard lock(mutex_);
  closed_ = true;
  rest.swap(events_);
  octets_ = 0;
}

std::uint64_t Inbox::dropped() const {
  const std::lock_guard lock(mutex_);
  return dropped_;
}

}  // namespace ecp::inline v0::transport
