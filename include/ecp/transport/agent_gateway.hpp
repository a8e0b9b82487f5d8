// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The control plane's end of the link to all agents.

#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/link/ids.hpp>
#include <ecp/transport/channel.hpp>

namespace ecp::inline v0::transport {

struct GatewayHandlers {
  /// Any message of an agent, presence births and wills included (ChannelKind::presence). The id
  /// comes from the transport's own authentication, never from the payload.
  std::function<void(link::AgentId, const Channel&, Bytes payload)> on_message;
  /// True once subscribed, false when the connection to the broker is lost: silence of agents
  /// means nothing while false.
  std::function<void(bool listening)> on_listening;
  /// What a replica told all of them, the teller included.
  std::function<void(BytesView payload)> on_told;
};

/// The cloud's end. One per replica.
///
/// Thread safety: any thread, also from a handler.
/// Callbacks: on the env's executor, never inside a call below; none after stop() has returned.
///   Messages of one agent and channel keep their order.
/// Limits: the inbound queue holds Limits::inbound_queue messages; beyond that the newest is
///   dropped and counted.
class ECP_EXPORT AgentGateway {
 public:
  virtual ~AgentGateway();
  virtual Result<void> start(GatewayHandlers handlers) = 0;
  virtual void stop() noexcept = 0;
  /// Send one message down. `done`: `unavailable` when no such agent is connected now, as far as
  /// the transport knows.
  virtual void send(link::AgentId agent, Channel channel, Bytes payload, DoneHandler done) = 0;
  /// Cut an agent's session at once and refuse its reconnects (revoked).
  virtual void deny(link::AgentId agent) = 0;
  /// Replace the whole deny set; the transport repeats it whenever its broker starts anew.
  virtual void set_denied(std::span<const link::AgentId> agents) = 0;
  /// Tell the other replicas, if there may be any; a hint, lost when one cannot hear it.
  virtual void tell(Bytes payload) { (void)payload; }
  /// This replica's random id, used in calls.
  [[nodiscard]] virtual const std::string& replica() const noexcept = 0;
  /// Messages dropped because the inbound queue was full.
  [[nodiscard]] virtual std::uint64_t dropped() const noexcept = 0;
};

}  // namespace ecp::inline v0::transport
