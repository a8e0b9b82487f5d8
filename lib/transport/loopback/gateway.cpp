// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/backoff.hpp"
#include "transport/direction.hpp"
#include "transport/loopback/ends.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr std::size_t max_payload_size = limits::mqtt_packet - packet_overhead;
constexpr std::size_t replica_octets = 8;

class LoopbackGatewayEnd final : public AgentGateway {
 public:
  LoopbackGatewayEnd(std::shared_ptr<LoopbackNetwork::State> network,
                     std::shared_ptr<loopback::GatewayEnd> end)
      : network_(std::move(network)), end_(std::move(end)) {}
  ~LoopbackGatewayEnd() override { stop(); }

  Result<void> start(GatewayHandlers handlers) override {
    bool listening = false;
    {
      const std::lock_guard lock(network_->mutex);
      const auto& gateways = network_->gateways;
      if (std::find(gateways.begin(), gateways.end(), end_) != gateways.end())
        return Error(reasons::bad_options,
                     {{"option", "the gateway"}, {"problem", "runs already"}});
      end_->handlers = std::move(handlers);
      network_->gateways.push_back(end_);
      listening = !network_->all_cut;
    }
    end_->inbox->push_state([end = end_, listening] {
      if (end->handlers.on_listening) end->handlers.on_listening(listening);
    });
    return {};
  }

  void stop() noexcept override {
    end_->inbox->close();
    const std::lock_guard lock(network_->mutex);
    stopped_ = true;
    std::erase(network_->gateways, end_);
  }

  void send(link::AgentId agent, Channel channel, Bytes payload, DoneHandler done) override {
    auto result = try_send(agent, channel, std::move(payload));
    end_->env.executor.post([result = std::move(result), done = std::move(done)] {
      if (done) done(result);
    });
  }

  void deny(link::AgentId agent) override {
    {
      const std::lock_guard lock(network_->mutex);
      network_->denied.insert(agent);
    }
    network_->break_connection(agent, LinkLoss::refused);
  }

  void set_denied(std::span<const link::AgentId> agents) override {
    {
      const std::lock_guard lock(network_->mutex);
      network_->denied = {agents.begin(), agents.end()};
    }
    for (const auto agent : agents) network_->break_connection(agent, LinkLoss::refused);
  }

  [[nodiscard]] const std::string& replica() const noexcept override { return end_->replica; }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return end_->inbox->dropped(); }

 private:
  Result<void> try_send(link::AgentId agent, const Channel& channel, Bytes payload) {
    {
      const std::lock_guard lock(network_->mutex);
      if (stopped_) return Error(ecp::reasons::cancelled, {{"what", "the message"}});
    }
    if (auto fits = check_channel(channel, false); !fits) return fits;
    if (payload.size() > max_payload_size) {
      return Error(reasons::too_large, {{"size", std::to_string(payload.size())},
                                        {"limit", std::to_string(max_payload_size)}});
    }
    return network_->send_down(agent, channel, std::move(payload));
  }

  const std::shared_ptr<LoopbackNetwork::State> network_;  ///< Shared by all ends.
  const std::shared_ptr<loopback::GatewayEnd> end_;        ///< Shared with tasks under way.
  bool stopped_ = false;                                   ///< Under the network's mutex.
};

}  // namespace

namespace loopback {

std::unique_ptr<AgentGateway> make_gateway(std::shared_ptr<LoopbackNetwork::State> network,
                                           std::shared_ptr<GatewayEnd> end) {
  return std::make_unique<LoopbackGatewayEnd>(std::move(network), std::move(end));
}

}  // namespace loopback

LoopbackNetwork::LoopbackNetwork(Env env) : state_(std::make_shared<State>(env)) {}
LoopbackNetwork::~LoopbackNetwork() = default;

std::unique_ptr<AgentGateway> LoopbackNetwork::gateway(std::string replica) {
  return gateway(std::move(replica), state_->env);
}

std::unique_ptr<AgentGateway> LoopbackNetwork::gateway(std::string replica, Env env) {
  if (replica.empty()) replica = to_hex(state_->env.random.bytes(replica_octets));
  return loopback::make_gateway(state_,
                                std::make_shared<loopback::GatewayEnd>(env, std::move(replica)));
}

std::unique_ptr<AgentLink> LoopbackNetwork::link(link::AgentId agent) {
  return link(agent, state_->env);
}

std::unique_ptr<AgentLink> LoopbackNetwork::link(link::AgentId agent, Env env,
                                                 Milliseconds reconnect_cap) {
  return loopback::make_link(
      std::make_shared<loopback::LinkEnd>(state_, agent, env, reconnect_cap));
}

void LoopbackNetwork::cut(link::AgentId agent) {
  {
    const std::lock_guard lock(state_->mutex);
    state_->cut.insert(agent);
  }
  state_->break_connection(agent, LinkLoss::network);
}

void LoopbackNetwork::heal(link::AgentId agent) {
  const std::lock_guard lock(state_->mutex);
  state_->cut.erase(agent);
}

namespace {

void tell_listening(LoopbackNetwork::State& state, bool listening) {
  for (const auto& gateway : state.gateways) {
    gateway->inbox->push_state([end = gateway, listening] {
      if (end->handlers.on_listening) end->handlers.on_listening(listening);
    });
  }
}

}  // namespace

void LoopbackNetwork::cut_all() {
  {
    const std::lock_guard lock(state_->mutex);
    if (state_->all_cut) return;
    state_->all_cut = true;
    tell_listening(*state_, false);
  }
  state_->break_all();
}

void LoopbackNetwork::heal_all() {
  const std::lock_guard lock(state_->mutex);
  if (!state_->all_cut) return;
  state_->all_cut = false;
  tell_listening(*state_, true);
}

void LoopbackNetwork::set_faults(const LoopbackFaults& faults) {
  const std::lock_guard lock(state_->mutex);
  state_->faults = faults;
}

LoopbackFaults LoopbackNetwork::faults() const {
  const std::lock_guard lock(state_->mutex);
  return state_->faults;
}

}  // namespace ecp::inline v0::transport
