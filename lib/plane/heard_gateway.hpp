// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A gateway that remembers whether it can hear agents.

#include <atomic>
#include <functional>
#include <memory>

#include <ecp/transport/agent_gateway.hpp>

namespace ecp::inline v0::plane {

/// Passes everything on to another gateway.
class HeardGateway final : public transport::AgentGateway {
 public:
  explicit HeardGateway(std::unique_ptr<transport::AgentGateway> inner)
      : inner_(std::move(inner)) {}

  /// Before start().
  void hear_replicas(std::function<void(BytesView)> told) { on_told_ = std::move(told); }

  Result<void> start(transport::GatewayHandlers handlers) override {
    handlers.on_told = on_told_;
    auto told = std::move(handlers.on_listening);
    handlers.on_listening = [this, told = std::move(told)](bool listening) {
      listening_ = listening;
      if (told) told(listening);
    };
    return inner_->start(std::move(handlers));
  }
  void stop() noexcept override {
    inner_->stop();
    listening_ = false;
  }
  void send(link::AgentId agent, transport::Channel channel, Bytes payload,
            transport::DoneHandler done) override {
    inner_->send(agent, std::move(channel), std::move(payload), std::move(done));
  }
  void tell(Bytes payload) override { inner_->tell(std::move(payload)); }
  void deny(link::AgentId agent) override { inner_->deny(agent); }
  void set_denied(std::span<const link::AgentId> agents) override { inner_->set_denied(agents); }
  [[nodiscard]] const std::string& replica() const noexcept override { return inner_->replica(); }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return inner_->dropped(); }

  [[nodiscard]] bool is_listening() const noexcept { return listening_; }

 private:
  std::unique_ptr<transport::AgentGateway> inner_;
  std::function<void(BytesView)> on_told_;
  std::atomic<bool> listening_ = false;
};

}  // namespace ecp::inline v0::plane
