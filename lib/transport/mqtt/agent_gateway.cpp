// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>

#include <ecp/core/limits.hpp>
#include <ecp/transport/broker.hpp>
#include <ecp/transport/mqtt.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/direction.hpp"
#include "transport/mqtt/control_cutter.hpp"
#include "transport/mqtt/guard_proof.hpp"
#include "transport/mqtt/session.hpp"
#include "transport/mqtt/topics.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr std::size_t max_replica_name = 32;
/// A replica that is frozen keeps its share from the others until the broker gives it up.
constexpr auto shared_keep_alive = Milliseconds{5'000};
// There is one, all agents wait for it, and what they say before it listens has to be said again.
constexpr auto gateway_reconnect_cap = Milliseconds{500};

/// What handlers under way still need when the gateway itself is gone.
struct GatewayShared {
  GatewayHandlers handlers;
  std::string replica;
  std::string share_group;            ///< Empty: this replica is alone.
  bool listening = false;             ///< On the executor only.
  std::shared_ptr<GuardProof> proof;  ///< Of a broker that is not in our care; else none.
  std::unique_ptr<SessionCutter> cutter;
};

class MqttAgentGateway final : public AgentGateway {
 public:
  MqttAgentGateway(MqttGatewayOptions options, MqttSessionOptions session, Env env)
      : env_(env),
        shared_(std::make_shared<GatewayShared>()),
        inbox_(std::make_shared<Inbox>(env.executor, env.limits.inbound_queue,
                                       limits::inbound_octets)),
        session_(std::make_shared<MqttSession>(std::move(session), env, inbox_)) {
    const bool is_alone = options.share_group.empty();
    shared_->replica = std::move(options.replica);
    shared_->share_group = std::move(options.share_group);
    shared_->cutter = std::move(options.cutter);
    if (shared_->cutter == nullptr) {
      shared_->cutter = std::make_unique<ControlCutter>(
          ControlCutter::Options{std::move(options.deny_path), is_alone}, session_, env);
    }
    if (options.prove) prove_with(std::move(options.prove));
  }
  ~MqttAgentGateway() override { stop(); }

  Result<void> start(GatewayHandlers handlers) override {
    shared_->handlers = std::move(handlers);
    MqttSessionHandlers session;
    session.on_connecting = [shared = shared_]() -> Result<MqttGreeting> {
      if (shared->proof && !shared->proof->take()) return reasons::guard_unproven;
      MqttGreeting greeting;
      greeting.filters = topics::gateway_filters(shared->replica, shared->share_group);
      return greeting;
    };
    session.on_state = [shared = shared_](LinkState state, LinkLoss) {
      const bool listening = state == LinkState::up;
      if (std::exchange(shared->listening, listening) == listening) return;
      if (shared->proof) shared->proof->connected(listening);
      if (listening) shared->cutter->repeat();
      if (shared->handlers.on_listening) shared->handlers.on_listening(listening);
    };
    session.on_message = [shared = shared_, inbox = inbox_](std::string_view topic,
                                                            BytesView payload) {
      if (topic == topics::changed) {
        inbox->push(payload.size(), [shared, body = Bytes(payload)] {
          if (shared->handlers.on_told) shared->handlers.on_told(body);
        });
        return;
      }
      auto source = topics::parse_up(topic);
      if (!source) return;
      inbox->push(payload.size(),
                  [shared, source = std::move(*source), body = Bytes(payload)]() mutable {
                    if (!shared->handlers.on_message) return;
                    shared->handlers.on_message(source.first, source.second, std::move(body));
                  });
    };
    return session_->start(std::move(session));
  }

  void stop() noexcept override {
    if (shared_->proof) shared_->proof->stop();
    shared_->cutter->stop();
    session_->stop();
  }

  void send(link::AgentId agent, Channel channel, Bytes payload, DoneHandler done) override {
    if (auto fits = check_channel(channel, false); !fits) {
      env_.executor.post([done = std::move(done), fits = std::move(fits)] {
        if (done) done(fits);
      });
      return;
    }
    session_->send({topics::of(agent, channel), std::move(payload), 1, std::move(done)});
  }

  void tell(Bytes payload) override {
    if (shared_->share_group.empty()) return;
    session_->send({std::string(topics::changed), std::move(payload), 0, {}});
  }

  void deny(link::AgentId agent) override { shared_->cutter->deny(agent); }
  void set_denied(std::span<const link::AgentId> agents) override {
    shared_->cutter->set_denied(agents);
  }

  [[nodiscard]] const std::string& replica() const noexcept override { return shared_->replica; }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return inbox_->dropped(); }

 private:
  /// Connect only to a broker whose guard this proves.
  void prove_with(std::function<Result<void>()> prove) {
    shared_->proof = std::make_shared<GuardProof>(
        std::move(prove),
        [session = std::weak_ptr(session_)] {
          if (const auto alive = session.lock()) alive->reconnect();
        },
        env_);
  }

  const Env env_;
  const std::shared_ptr<GatewayShared> shared_;  ///< Shared with handlers under way.
  const std::shared_ptr<Inbox> inbox_;           ///< Shared with the session and handlers.
  const std::shared_ptr<MqttSession> session_;   ///< Shared with its timers under way.
};

bool is_replica_name(std::string_view text) {
  return is_channel_word(text) && text.size() <= max_replica_name;
}

}  // namespace

Result<std::unique_ptr<AgentGateway>> open_mqtt_gateway(MqttGatewayOptions options, Env env) {
  const auto bad = [](std::string option, std::string problem) {
    return Error(reasons::bad_options,
                 {{"option", std::move(option)}, {"problem", std::move(problem)}});
  };
  if (options.broker.host.empty()) return bad("broker", "is missing");
  if (options.tls.roots_path.empty() || options.tls.certificate_path.empty() ||
      options.tls.key_path.empty()) {
    return bad("tls", "is missing");
  }
  if (!is_replica_name(options.replica)) return bad("replica", "is not a name of [0-9a-z_-]{1,32}");
  MqttSessionOptions session;
  session.brokers = {options.broker};
  session.tls = options.tls;
  session.client_id = std::string(topics::replica_name) + options.replica;
  session.keep_alive = options.share_group.empty()
                           ? options.keep_alive
                           : std::min(options.keep_alive, shared_keep_alive);
  session.connect_timeout = options.connect_timeout;
  session.reconnect_cap = gateway_reconnect_cap;
  session.max_pending = limits::inbound_queue;
  return std::make_unique<MqttAgentGateway>(std::move(options), std::move(session), env);
}

}  // namespace ecp::inline v0::transport
