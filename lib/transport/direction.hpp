// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Which channels go up and which go down, and what they must carry.

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/transport/channel.hpp>

namespace ecp::inline v0::transport {

[[nodiscard]] constexpr bool goes_up(ChannelKind kind) noexcept {
  return kind <= ChannelKind::answer_up;
}
/// Label needed: streams and calls.
[[nodiscard]] constexpr bool has_label(ChannelKind kind) noexcept {
  return kind == ChannelKind::telemetry || kind == ChannelKind::question ||
         kind == ChannelKind::answer_up || kind == ChannelKind::answer_down ||
         kind == ChannelKind::question_down;
}
/// Replica needed: calls of the plane.
[[nodiscard]] constexpr bool has_replica(ChannelKind kind) noexcept {
  return kind == ChannelKind::answer_up || kind == ChannelKind::question_down;
}

/// Fails with transport.bad_channel unless the channel may carry a message that way.
ECP_EXPORT Result<void> check_channel(const Channel& channel, bool up);

}  // namespace ecp::inline v0::transport
