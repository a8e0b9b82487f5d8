// SPDX-License-Identifier: Apache-2.0
#include "transport/inbox.hpp"

#include <utility>

namespace ecp::inline v0::transport {

Inbox::Burst::Burst(Inbox& inbox) : inbox_(inbox) {
  const std::lock_guard lock(inbox_.mutex_);
  inbox_.in_burst_ = true;
}

Inbox::Burst::~Burst() {
  std::unique_lock lock(inbox_.mutex_);
  inbox_.in_burst_ = false;
  inbox_.post_if_needed(std::move(lock));
}

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
  post_if_needed(std::move(lock));
}

void Inbox::post_if_needed(std::unique_lock<std::mutex> lock) {
  if (posted_ || in_burst_ || events_.empty()) return;
  posted_ = true;
  lock.unlock();
  executor_.post([self = shared_from_this()] { self->run_some(); });
}

void Inbox::run_some() {
  // Also when a handler throws: what is behind it must not wait for ever.
  struct End {
    Inbox& inbox;
    ~End() { inbox.end_run(); }
  };
  const End end{*this};
  std::size_t count = 0;
  while (count < events_at_once && run_one()) ++count;
}

bool Inbox::run_one() {
  Event event{};
  {
    const std::lock_guard lock(mutex_);
    if (events_.empty()) return false;
    event = std::move(events_.front());
    events_.pop_front();
    octets_ -= event.octets;
  }
  event.handler();
  return true;
}

void Inbox::end_run() {
  std::unique_lock lock(mutex_);
  posted_ = false;
  post_if_needed(std::move(lock));
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
