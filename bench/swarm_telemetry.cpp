// SPDX-License-Identifier: Apache-2.0
#include "swarm_telemetry.hpp"

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/series/sample.hpp>

namespace swarm {
namespace {

constexpr std::int64_t batch_ms = 10'000;
constexpr std::int64_t sample_ms = 1'000;
constexpr std::int64_t unanswered_wait_ms = 5'000;  // As the product's own forwarder.
constexpr std::size_t most_pending = 8;
constexpr double turn_ms = 600'000;  // One swing of a signal.
constexpr double full_turn = 6.283185307179586;

/// A value with two decimals that moves a few hundredths a second.
double signal(int tag, std::int64_t at_ms, ecp::Random& random) {
  const double phase = full_turn * (static_cast<double>(at_ms % 600'000) / turn_ms + tag * 0.1);
  const double noise = static_cast<double>(random.below(5)) - 2;
  return std::round((20 + tag + 4 * std::sin(phase)) * 100 + noise) / 100;
}

}  // namespace

Telemetry::Telemetry(int tags, std::string buffer_id, ecp::Random& random)
    : tags_(tags), buffer_id_(std::move(buffer_id)), random_(random) {}

std::optional<std::string> Telemetry::due(std::int64_t now_ms) {
  if (tags_ == 0 || stream_.empty()) return std::nullopt;
  if (!pending_.empty() && now_ms >= pending_.front().sent_ms + unanswered_wait_ms) {
    pending_.front().sent_ms = now_ms;
    return pending_.front().payload;
  }
  if (next_ms_ == 0) next_ms_ = now_ms + static_cast<std::int64_t>(random_.below(batch_ms));
  if (now_ms < next_ms_ || pending_.size() >= most_pending) return std::nullopt;
  next_ms_ += batch_ms;
  auto payload = collect();
  pending_.push_back({next_ - 1, now_ms, payload});
  return payload;
}

std::string Telemetry::collect() {
  const auto end = ecp::to_ms(ecp::system_clock().now());
  std::vector<ecp::series::Sample> samples;
  for (auto at = end - batch_ms + sample_ms; at <= end; at += sample_ms) {
    for (int tag = 0; tag < tags_; ++tag) {
      ecp::series::Sample sample;
      sample.tag = "plc/fast/tag-" + std::to_string(tag);
      sample.time = ecp::from_ms(at);
      sample.value = signal(tag, at, random_);
      samples.push_back(std::move(sample));
    }
  }
  ecp::link::TelemetryHead head;
  head.buffer_id = buffer_id_;
  head.stream = stream_;
  head.first = next_;
  head.last = next_ + static_cast<std::int64_t>(samples.size()) - 1;
  head.floor = stored_ + 1;
  next_ = head.last + 1;
  return ecp::link::encode_telemetry(head, ecp::series::encode_samples(samples));
}

bool Telemetry::take(const ecp::link::Ack& ack) {
  if (stream_.empty() || ack.stream != stream_ || ack.buffer_id != buffer_id_) return false;
  stored_ = std::max(stored_, ack.upto);
  while (!pending_.empty() && pending_.front().last <= stored_) pending_.pop_front();
  return true;
}

void Telemetry::link_lost() {
  for (auto& batch : pending_) batch.sent_ms = 0;
}

}  // namespace swarm
