// SPDX-License-Identifier: Apache-2.0
#include "session_loop.hpp"

#include <poll.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <iostream>
#include <utility>

namespace swarm {
namespace {

constexpr std::size_t connects_at_once = 50;  // First handshakes; more only queue in the broker.
constexpr int poll_ms = 20;
constexpr int sweep_ms = 100;
constexpr unsigned most_doublings = 2;  // To 40 s.

std::int64_t steady_ms() {
  return std::chrono::duration_cast<std::chrono::milliseconds>(
             std::chrono::steady_clock::now().time_since_epoch())
      .count();
}

/// Edge-triggered: whoever is told reads until there is nothing more.
bool is_readable(int descriptor) {
  pollfd input{descriptor, POLLIN, 0};
  return descriptor >= 0 && poll(&input, 1, 0) > 0;
}

}  // namespace

void raise_descriptor_limit() {
  rlimit files{};
  getrlimit(RLIMIT_NOFILE, &files);
  files.rlim_cur = files.rlim_max;
  setrlimit(RLIMIT_NOFILE, &files);
}

SessionLoop::SessionLoop(std::vector<std::unique_ptr<Session>>& sessions,
                         const SessionCounts& counts, BackOff back_off,
                         std::int64_t connect_patience_ms)
    : sessions_(sessions),
      counts_(counts),
      back_off_(std::move(back_off)),
      connect_patience_ms_(connect_patience_ms),
      ways_(sessions.size()),
      poll_(epoll_create1(EPOLL_CLOEXEC)) {}

SessionLoop::~SessionLoop() { ::close(poll_); }

void SessionLoop::run(const Command& command) {
  bool told = false;
  while (true) {
    turn();
    if (!told && counts_.connected == sessions_.size()) {
      std::cout << "connected " << counts_.connected << std::endl;
      told = true;
    }
    pollfd input{STDIN_FILENO, POLLIN, 0};
    if (poll(&input, 1, 0) <= 0) continue;
    std::string line;
    if (!std::getline(std::cin, line) || !command(line)) return;
  }
}

void SessionLoop::turn() {
  epoll_event events[512];
  const int ready = epoll_wait(poll_, events, 512, poll_ms);
  for (int i = 0; i < ready; ++i) serve(events[i].data.u64, events[i].events);
  const auto now = steady_ms();
  if (now < next_sweep_ms_) return;
  next_sweep_ms_ = now + sweep_ms;
  sweep(now);
}

/// libmosquitto takes a socket that breaks in the handshake for one still being made, for ever.
void SessionLoop::serve(std::size_t index, std::uint32_t events) {
  auto& session = *sessions_[index];
  do {
    session.work(true, true);
  } while (session.is_up() && is_readable(session.descriptor()));
  const bool broken = (events & (EPOLLHUP | EPOLLRDHUP | EPOLLERR)) != 0;
  if (broken && !session.is_up() && ways_[index].descriptor >= 0) note_loss(index, steady_ms());
}

void SessionLoop::sweep(std::int64_t now_ms) {
  for (std::size_t i = 0; i < sessions_.size(); ++i) {
    auto& session = *sessions_[i];
    auto& way = ways_[i];
    if (session.is_up()) {
      way.failures = 0;
      session.tick(now_ms);
      session.work(false, session.wants_write());
      continue;
    }
    if (way.descriptor >= 0 && session.descriptor() < 0) note_loss(i, now_ms);
    if (way.descriptor >= 0) {
      if (now_ms - way.begun_ms > patience_ms(way)) note_loss(i, now_ms);
      continue;
    }
    if (i >= first_opened_) {  // The first time, a few at once.
      if (i >= counts_.connected + connects_at_once) return;
      first_opened_ = i + 1;
    }
    if (now_ms >= way.next_ms) open(i, now_ms);
  }
}

/// Grows with each failure, as the product's own does in a large fleet.
std::int64_t SessionLoop::patience_ms(const Way& way) const {
  return connect_patience_ms_ << std::min(way.failures, most_doublings);
}

void SessionLoop::open(std::size_t index, std::int64_t now_ms) {
  auto& way = ways_[index];
  auto& session = *sessions_[index];
  way.begun_ms = now_ms;
  if (!session.connect()) return note_loss(index, now_ms);
  way.descriptor = session.descriptor();
  epoll_event event{};
  event.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET;
  event.data.u64 = index;
  epoll_ctl(poll_, EPOLL_CTL_ADD, way.descriptor, &event);
}

void SessionLoop::note_loss(std::size_t index, std::int64_t now_ms) {
  auto& way = ways_[index];
  if (sessions_[index]->descriptor() >= 0) sessions_[index]->reset();
  way.descriptor = -1;
  way.next_ms = now_ms + back_off_(way.failures++);
}

}  // namespace swarm
