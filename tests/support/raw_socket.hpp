// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A blocking TCP connection to loopback that sends whatever a test wants.

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace ecp::testing {

class RawSocket {
 public:
  explicit RawSocket(std::uint16_t port) : descriptor_(socket(AF_INET, SOCK_STREAM, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(port);
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    connected_ = connect(descriptor_, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0;
  }
  ~RawSocket() { ::close(descriptor_); }
  RawSocket(const RawSocket&) = delete;
  RawSocket& operator=(const RawSocket&) = delete;

  [[nodiscard]] bool connected() const { return connected_; }

  /// False when the peer has closed.
  bool send(std::string_view octets) {
    while (!octets.empty()) {
      const auto sent = ::send(descriptor_, octets.data(), octets.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      octets.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }
  void finish_sending() { shutdown(descriptor_, SHUT_WR); }

  /// Read until the text holds `end`, the peer closes, or nothing comes for `patience_ms`.
  std::string read_until(std::string_view end, int patience_ms = 5000) {
    while (end.empty() || text_.find(end) == std::string::npos) {
      pollfd wait{descriptor_, POLLIN, 0};
      if (poll(&wait, 1, patience_ms) <= 0) break;
      char piece[65536];
      const auto size = recv(descriptor_, piece, sizeof piece, 0);
      if (size <= 0) {
        closed_ = true;
        break;
      }
      text_.append(piece, static_cast<std::size_t>(size));
    }
    return text_;
  }
  /// Read until the peer closes.
  std::string read_all(int patience_ms = 5000) { return read_until({}, patience_ms); }
  [[nodiscard]] bool closed_by_peer() const { return closed_; }
  void forget() { text_.clear(); }

 private:
  int descriptor_;
  bool connected_ = false;
  bool closed_ = false;
  std::string text_;
};

}  // namespace ecp::testing
