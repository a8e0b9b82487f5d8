// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Polls many sessions in one thread, connects them and connects them again, and takes commands.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "session.hpp"

namespace swarm {

/// As many descriptors as the system grants; libmosquitto takes three a session.
void raise_descriptor_limit();

class SessionLoop {
 public:
  /// Milliseconds to wait after a number of failures in a row.
  using BackOff = std::function<std::int64_t(unsigned failures)>;
  static constexpr std::int64_t product_patience_ms = 10'000;
  /// Does what a line of standard input says; false ends the loop.
  using Command = std::function<bool(const std::string& line)>;

  SessionLoop(std::vector<std::unique_ptr<Session>>& sessions, const SessionCounts& counts,
              BackOff back_off, std::int64_t connect_patience_ms = product_patience_ms);
  ~SessionLoop();
  SessionLoop(const SessionLoop&) = delete;
  SessionLoop& operator=(const SessionLoop&) = delete;

  /// Run until a command ends it. Prints "connected N" once all are, for the first time.
  void run(const Command& command);

 private:
  /// Where a session is on its way to the broker.
  struct Way {
    int descriptor = -1;  ///< As polled.
    unsigned failures = 0;
    std::int64_t next_ms = 0;   ///< Of the next attempt.
    std::int64_t begun_ms = 0;  ///< Of the one under way.
  };
  void turn();
  void serve(std::size_t index, std::uint32_t events);
  void sweep(std::int64_t now_ms);
  [[nodiscard]] std::int64_t patience_ms(const Way& way) const;
  void open(std::size_t index, std::int64_t now_ms);
  void note_loss(std::size_t index, std::int64_t now_ms);

  std::vector<std::unique_ptr<Session>>& sessions_;
  const SessionCounts& counts_;
  BackOff back_off_;
  std::int64_t connect_patience_ms_;
  std::vector<Way> ways_;
  int poll_;
  std::size_t first_opened_ = 0;
  std::int64_t next_sweep_ms_ = 0;
};

}  // namespace swarm
