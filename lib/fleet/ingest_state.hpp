// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What both halves of the ingest engine share.

#include <mutex>

#include <ecp/fleet/ingest.hpp>

namespace ecp::inline v0::fleet {

struct IngestEngine::State {
  State(const Parts& parts_in, Env env_in) : parts(parts_in), env(env_in) {}

  /// Say what is durable. A lost acknowledgement is made good when the agent sends again.
  void acknowledge(EdgeNodeId agent, const link::Ack& ack) const {
    parts.gateway.send(agent, {transport::ChannelKind::ack, {}, {}}, link::to_json(ack),
                       [](const Result<void>&) {});
  }
  Parts parts;
  Env env;
  std::mutex telemetry;  ///< Held from looking at telemetry until it is acknowledged.
};

/// 1..64 characters without control characters.
[[nodiscard]] bool is_buffer_id(std::string_view text) noexcept;

}  // namespace ecp::inline v0::fleet
