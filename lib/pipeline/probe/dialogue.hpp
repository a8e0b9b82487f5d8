// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Questions to a Modbus TCP device one at a time, waiting for each answer.

#include <functional>
#include <map>
#include <optional>

#include <ecp/core/time.hpp>
#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/probe.hpp>

namespace ecp::inline v0::pipeline {

/// A connection that only reads and is made again when the device drops it.
class Dialogue {
 public:
  explicit Dialogue(const ProbeOptions& options) : options_(options) {}
  ~Dialogue();
  Dialogue(const Dialogue&) = delete;
  Dialogue& operator=(const Dialogue&) = delete;

  /// Fails with pipeline.probe_unreachable.
  Result<void> connect();
  /// Ask and wait. Fails with pipeline.device_timeout, device_exception, bad_answer, and with
  /// probe_unreachable when the connection is gone and cannot be made again.
  Result<Bytes> ask(const modbus::Read& read);
  /// Answers that come after their time are kept by unit: gateways are slow with units that are
  /// not there, and later ones wait behind them.
  [[nodiscard]] bool has_answered_late(std::uint8_t unit) const { return late_.contains(unit); }
  /// Wait for late answers.
  void linger(Milliseconds time);

 private:
  Result<void> send(const modbus::Frame& frame);
  /// The next whole frame; none when the time is up.
  Result<std::optional<modbus::Frame>> next_frame(SteadyTime deadline);
  void note_late(const modbus::Frame& frame);
  void close();
  [[nodiscard]] Error unreachable(const std::string& problem) const;

  const ProbeOptions& options_;
  int socket_ = -1;
  Bytes in_;
  std::uint16_t transaction_ = 0;
  std::map<std::uint8_t, bool> late_;
};

}  // namespace ecp::inline v0::pipeline
