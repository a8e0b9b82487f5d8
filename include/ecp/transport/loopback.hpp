// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A transport inside one process: gateway and links joined by queues. A real transport for
/// all-in-one programs, and the one of tests and the simulation, which can break it.

#include <memory>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/link/ids.hpp>
#include <ecp/transport/agent_gateway.hpp>
#include <ecp/transport/agent_link.hpp>

namespace ecp::inline v0::transport {

/// How badly the network behaves; in thousandths of all messages, drawn from the env's random.
struct LoopbackFaults {
  unsigned lose = 0;          ///< Accepted, then gone, as when a broker dies.
  unsigned duplicate = 0;     ///< Delivered twice.
  Milliseconds delay_max{0};  ///< Each message waits 0..delay_max; channels keep their order.
  /// Messages of other channels overtake what waits. To be set before the first message.
  bool overtake = false;
};

/// Joins any number of gateways and links. Of several gateways one gets each message, drawn from
/// the env's random, as with a shared subscription; an answer goes to the replica that asked, and
/// births, wills and heartbeats go to all.
///
/// Ownership: gateway and links hold the network's state, so the order of destruction is free.
/// Thread safety: any thread.
class ECP_EXPORT LoopbackNetwork {
 public:
  explicit LoopbackNetwork(Env env);
  ~LoopbackNetwork();
  LoopbackNetwork(const LoopbackNetwork&) = delete;
  LoopbackNetwork& operator=(const LoopbackNetwork&) = delete;

  /// Make the cloud's end. `replica` is made from the env's random when empty. `env` is the world
  /// of that end, the network's own by default.
  [[nodiscard]] std::unique_ptr<AgentGateway> gateway(std::string replica = {});
  [[nodiscard]] std::unique_ptr<AgentGateway> gateway(std::string replica, Env env);
  /// Make an agent's end. A second started link of the same agent takes the connection over.
  [[nodiscard]] std::unique_ptr<AgentLink> link(link::AgentId agent);
  [[nodiscard]] std::unique_ptr<AgentLink> link(link::AgentId agent, Env env,
                                                Milliseconds reconnect_cap = Milliseconds{60'000});

  /// Break an agent's connection (its will is delivered) and keep it from reconnecting.
  void cut(link::AgentId agent);
  /// Let it reconnect; its own retry timer does so.
  void heal(link::AgentId agent);
  /// Stop and start what stands between both ends: all connections break, nobody reconnects.
  void cut_all();
  void heal_all();
  void set_faults(const LoopbackFaults& faults);
  [[nodiscard]] LoopbackFaults faults() const;

  struct State;

 private:
  std::shared_ptr<State> state_;  ///< Owned together with the ends made from it.
};

}  // namespace ecp::inline v0::transport
