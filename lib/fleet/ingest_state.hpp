// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What both halves of the ingest engine share.

#include <ecp/fleet/ingest.hpp>

namespace ecp::inline v0::fleet {

struct IngestEngine::State {
  /// Say what is durable. A lost acknowledgement is made good when the agent sends again.
  void acknowledge(EdgeNodeId agent, const link::Ack& ack) const {
    parts.gateway.send(agent, {transport::ChannelKind::ack, {}, {}}, link::to_json(ack),
                       [](const Result<void>&) {});
  }
  Parts parts;
  Env env;
};

/// 1..64 characters without control characters.
[[nodiscard]] bool is_buffer_id(std::string_view text) noexcept;

}  // namespace ecp::inline v0::fleet
