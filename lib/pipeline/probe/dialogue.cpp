// SPDX-License-Identifier: Apache-2.0
#include "pipeline/probe/dialogue.hpp"

#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <system_error>

#include <ecp/core/env.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline {
namespace {

constexpr auto connect_time = Milliseconds{5'000};
constexpr unsigned gateway_path_unavailable = 0x0a;  // Modbus 1.1b3, 7.
constexpr unsigned gateway_target_silent = 0x0b;

std::string words_of(int error) { return std::generic_category().message(error); }

SteadyTime now() { return system_clock().steady(); }

/// Whether something can be read or written within the time.
bool is_ready(int socket, short event, SteadyTime deadline) {
  pollfd waiting{socket, event, 0};
  const auto left = std::chrono::ceil<Milliseconds>(deadline - now()).count();
  return ::poll(&waiting, 1, static_cast<int>(std::max<std::int64_t>(left, 0))) > 0;
}

/// Connect one address; the socket, or the negative error number.
int connect_to(const addrinfo& address) {
  const int made = ::socket(address.ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (made < 0) return -errno;
  const auto deadline = now() + connect_time;
  int problem = 0;
  if (::connect(made, address.ai_addr, address.ai_addrlen) != 0) {
    problem = errno;
    if (problem == EINPROGRESS) {
      problem = ETIMEDOUT;
      if (is_ready(made, POLLOUT, deadline)) {
        socklen_t size = sizeof problem;
        ::getsockopt(made, SOL_SOCKET, SO_ERROR, &problem, &size);
      }
    }
  }
  if (problem != 0) {
    ::close(made);
    return -problem;
  }
  const int on = 1;
  ::setsockopt(made, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return made;
}

/// A gateway speaks for a unit that is not there.
bool is_absence(const modbus::Frame& frame) {
  if (frame.pdu.size() < 2 || (static_cast<std::uint8_t>(frame.pdu[0]) & 0x80U) == 0) return false;
  const unsigned code = static_cast<std::uint8_t>(frame.pdu[1]);
  return code == gateway_path_unavailable || code == gateway_target_silent;
}

}  // namespace

Dialogue::~Dialogue() { close(); }

void Dialogue::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
  in_.clear();
}

Error Dialogue::unreachable(const std::string& problem) const {
  return Error(
      reasons::probe_unreachable,
      {{"host", options_.host}, {"port", std::to_string(options_.port)}, {"problem", problem}});
}

Result<void> Dialogue::connect() {
  close();
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = std::to_string(options_.port);
  const int failed = ::getaddrinfo(options_.host.c_str(), port.c_str(), &hints, &found);
  if (failed != 0) return unreachable(::gai_strerror(failed));
  const std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)> addresses(found, &::freeaddrinfo);
  int problem = EHOSTUNREACH;
  for (const auto* each = found; each != nullptr; each = each->ai_next) {
    const int made = connect_to(*each);
    if (made >= 0) {
      socket_ = made;
      return {};
    }
    problem = -made;
  }
  return unreachable(words_of(problem));
}

Result<void> Dialogue::send(const modbus::Frame& frame) {
  if (socket_ < 0) ECP_TRY_VOID(connect());
  const auto octets = modbus::encode(frame);
  if (::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL) ==
      static_cast<ssize_t>(octets.size())) {
    return {};
  }
  ECP_TRY_VOID(connect());  // Devices drop connections that were idle, or asked for too much.
  const auto sent = ::send(socket_, octets.data(), octets.size(), MSG_NOSIGNAL);
  return sent == static_cast<ssize_t>(octets.size()) ? Result<void>()
                                                     : unreachable(words_of(errno));
}

Result<std::optional<modbus::Frame>> Dialogue::next_frame(SteadyTime deadline) {
  while (socket_ >= 0) {
    auto frame = modbus::take_frame(in_);
    if (!frame) close();
    if (!frame || *frame) return frame;
    if (!is_ready(socket_, POLLIN, deadline)) return std::nullopt;
    std::array<char, 512> piece{};
    const auto got = ::recv(socket_, piece.data(), piece.size(), 0);
    if (got <= 0) {
      close();  // The device ended the connection instead of answering.
    } else {
      in_.append(piece.data(), static_cast<std::size_t>(got));
    }
  }
  return std::nullopt;
}

void Dialogue::note_late(const modbus::Frame& frame) {
  if (!is_absence(frame)) late_[frame.unit] = true;
}

Result<Bytes> Dialogue::ask(const modbus::Read& read) {
  const modbus::Frame question{++transaction_, read.unit, modbus::read_request(read)};
  ECP_TRY_VOID(send(question));
  const auto deadline = now() + options_.timeout;
  while (true) {
    ECP_TRY(const auto frame, next_frame(deadline));
    if (!frame) return reasons::device_timeout;
    if (frame->transaction != question.transaction || frame->unit != question.unit) {
      note_late(*frame);
      continue;
    }
    if (is_absence(*frame)) return reasons::device_timeout;
    return modbus::read_answer(read, frame->pdu);
  }
}

void Dialogue::linger(Milliseconds time) {
  const auto deadline = now() + time;
  while (true) {
    const auto frame = next_frame(deadline);
    if (!frame || !*frame) return;
    note_late(**frame);
  }
}

}  // namespace ecp::inline v0::pipeline
