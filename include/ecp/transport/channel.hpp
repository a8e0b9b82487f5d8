// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What passes between an agent and its control plane, without topics.

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::transport {

/// Kind of message. The first group goes up (agent to plane), the second down.
enum class ChannelKind : std::uint8_t {
  presence,
  state,
  reported,
  alarm,
  event,
  telemetry,    ///< `label` is the stream.
  question,     ///< Agent asks, any replica answers; `label` is the call id.
  answer_up,    ///< Agent's answer to a question of one replica; `label` is the call id, `replica` set.
  desired,
  command,
  ack,
  answer_down,  ///< Plane's answer; `label` is the call id.
  question_down,  ///< A replica asks; `label` is the call id, `replica` set.
};

/// A kind plus what tells several of its streams or calls apart.
struct Channel {
  ChannelKind kind = ChannelKind::state;
  std::string label;    ///< Stream (an edge service id) or call id; characters [0-9a-z_-], <= 64.
  std::string replica;  ///< Id of the replica that asked, for calls of the plane.

  friend bool operator==(const Channel&, const Channel&) = default;
};

/// True when `text` may stand in a channel: 1..64 characters of [0-9a-z_-].
[[nodiscard]] ECP_EXPORT bool is_channel_word(std::string_view text) noexcept;

/// Outcome of one send.
using DoneHandler = std::function<void(Result<void>)>;

}  // namespace ecp::transport
