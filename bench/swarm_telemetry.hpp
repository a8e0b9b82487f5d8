// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What one simulated agent collects and has not been acknowledged yet.

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <utility>

#include <ecp/core/random.hpp>
#include <ecp/link/documents.hpp>

namespace swarm {

/// Slow plant-like signals, read once a second and handed over as batches of ten seconds.
class Telemetry {
 public:
  Telemetry(int tags, std::string buffer_id, ecp::Random& random);

  /// The edge service that the samples belong to; nothing is collected before it is known.
  void set_stream(std::string stream) { stream_ = std::move(stream); }
  /// A payload to send now, new or once more; none when nothing is due.
  std::optional<std::string> due(std::int64_t now_ms);
  /// Forget what is stored; true when the acknowledgement was for these samples.
  bool take(const ecp::link::Ack& ack);
  /// Whatever is under way may be lost: send it again.
  void link_lost();

  [[nodiscard]] const std::string& stream() const { return stream_; }
  [[nodiscard]] std::uint64_t stored() const { return static_cast<std::uint64_t>(stored_); }
  [[nodiscard]] std::uint64_t made() const { return static_cast<std::uint64_t>(next_ - 1); }

 private:
  struct Batch {
    std::int64_t last = 0;
    std::int64_t sent_ms = 0;
    std::string payload;
  };
  std::string collect();

  int tags_;
  std::string buffer_id_, stream_;
  ecp::Random& random_;
  std::int64_t next_ms_ = 0;
  std::int64_t next_ = 1;  ///< Number of the next sample.
  std::int64_t stored_ = 0;
  std::deque<Batch> pending_;
};

}  // namespace swarm
