// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The agent's end of the link.

#include <functional>
#include <string>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/transport/channel.hpp>

namespace ecp::inline v0::transport {

enum class LinkState : std::uint8_t { connecting, up, down };

/// Why the link went down, so that the agent knows when to fetch its link document anew.
enum class LinkLoss : std::uint8_t { none, network, refused, untrusted, stopped };

struct LinkHandlers {
  /// Called before each CONNECT; returns the presence birth to publish first after it (and the
  /// will to set). The counter inside must be durable when this returns. Runs on the executor.
  struct Presence {
    Bytes birth;
    Bytes will;
  };
  std::function<Result<Presence>()> on_connecting;
  std::function<void(LinkState, LinkLoss)> on_state;
  std::function<void(const Channel&, Bytes payload)> on_message;
};

/// The agent's end of the link to its control plane. Knows channels, not topics.
///
/// Thread safety: all members may be called from any thread, also from a handler.
/// Callbacks: on the env's executor, never inside a call below. No link or message handler starts
///   after stop() has returned; a pending DoneHandler is still called once, with `cancelled`,
///   possibly later.
/// Ordering: messages of one channel arrive in the order sent while one connection lasts.
class ECP_EXPORT AgentLink {
 public:
  virtual ~AgentLink();
  /// Begin connecting and keep reconnecting with jitter until stop(): retry n waits uniformly in
  /// 0..min(b, max(2 s, b / 4) * 2^n), where b is the link document's bound.
  virtual Result<void> start(LinkHandlers handlers) = 0;
  /// Close the link without waiting for the executor.
  virtual void stop() noexcept = 0;
  /// Send one message. `done` reports acceptance by the next hop, which is not receipt by the
  /// control plane; `unavailable` when the link is down (nothing is queued for later), and
  /// `resource_exhausted` beyond limits::outbound_queue.
  virtual void send(Channel channel, Bytes payload, DoneHandler done) = 0;
  /// Largest payload that the next hop takes now.
  [[nodiscard]] virtual std::size_t max_payload() const noexcept = 0;
  /// Drop the connection and connect again at once (after a new certificate, or in tests).
  virtual void reconnect() = 0;
  /// Bound the wait before each retry from now on; one that is planned already stays.
  virtual void set_reconnect_cap(Milliseconds longest) = 0;
};

}  // namespace ecp::inline v0::transport
