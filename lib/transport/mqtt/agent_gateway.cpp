// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <atomic>
#include <set>

#include <ecp/core/limits.hpp>
#include <ecp/transport/broker.hpp>
#include <ecp/transport/mqtt.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/direction.hpp"
#include "transport/mqtt/deny_set.hpp"
#include "transport/mqtt/guard_proof.hpp"
#include "transport/mqtt/session.hpp"
#include "transport/mqtt/topics.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr std::size_t max_replica_name = 32;
constexpr auto gateway_reconnect_cap =
    Milliseconds{4'000};  // There is one; all agents wait for it.

/// What handlers under way still need when the gateway itself is gone.
struct GatewayShared {
  GatewayHandlers handlers;
  std::string replica;
  std::mutex mutex;
  std::set<link::AgentId> denied;     ///< Under the mutex.
  bool listening = false;             ///< On the executor only.
  std::shared_ptr<GuardProof> proof;  ///< Of a broker that is not in our care; else none.
};

class MqttAgentGateway final : public AgentGateway {
 public:
  MqttAgentGateway(std::string replica, std::string deny_path, MqttSessionOptions session, Env env)
      : env_(env),
        deny_path_(std::move(deny_path)),
        shared_(std::make_shared<GatewayShared>()),
        inbox_(std::make_shared<Inbox>(env.executor, env.limits.inbound_queue,
                                       limits::inbound_octets)),
        session_(std::make_shared<MqttSession>(std::move(session), env, inbox_)) {
    shared_->replica = std::move(replica);
  }
  ~MqttAgentGateway() override { stop(); }

  /// Connect only to a broker whose guard this proves. Before start().
  void prove_with(std::function<Result<void>()> prove) {
    shared_->proof = std::make_shared<GuardProof>(
        std::move(prove),
        [session = std::weak_ptr(session_)] {
          if (const auto alive = session.lock()) alive->reconnect();
        },
        env_);
  }

  Result<void> start(GatewayHandlers handlers) override {
    shared_->handlers = std::move(handlers);
    MqttSessionHandlers session;
    session.on_connecting = [shared = shared_]() -> Result<MqttGreeting> {
      if (shared->proof && !shared->proof->take()) return reasons::guard_unproven;
      MqttGreeting greeting;
      greeting.filters = topics::gateway_filters(shared->replica);
      const std::lock_guard lock(shared->mutex);
      for (auto& text : deny_set::replace({shared->denied.begin(), shared->denied.end()})) {
        greeting.messages.push_back({std::string(topics::control), std::move(text), 1, {}});
      }
      return greeting;
    };
    session.on_state = [shared = shared_](LinkState state, LinkLoss) {
      const bool listening = state == LinkState::up;
      if (std::exchange(shared->listening, listening) == listening) return;
      if (shared->proof) shared->proof->connected(listening);
      if (shared->handlers.on_listening) shared->handlers.on_listening(listening);
    };
    session.on_message = [shared = shared_, inbox = inbox_](std::string_view topic,
                                                            BytesView payload) {
      auto source = topics::parse_up(topic);
      if (!source) return;
      inbox->push(payload.size(), [shared, source = std::move(*source), body = Bytes(payload)] {
        if (shared->handlers.on_message) {
          shared->handlers.on_message(source.first, source.second, body);
        }
      });
    };
    return session_->start(std::move(session));
  }

  void stop() noexcept override {
    if (shared_->proof) shared_->proof->stop();
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

  void deny(link::AgentId agent) override {
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->denied.insert(agent);
    }
    keep_denied();
    send_control(deny_set::add({agent}));
  }

  void set_denied(std::span<const link::AgentId> agents) override {
    {
      const std::lock_guard lock(shared_->mutex);
      shared_->denied = {agents.begin(), agents.end()};
    }
    keep_denied();
    send_control(deny_set::replace({agents.begin(), agents.end()}));
  }

  [[nodiscard]] const std::string& replica() const noexcept override { return shared_->replica; }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return inbox_->dropped(); }

 private:
  /// A broker that starts again reads the set before we can reach it. The set is looked up by
  /// whoever has the file, so that the file never falls back.
  void keep_denied() {
    if (deny_path_.empty()) return;
    const std::lock_guard writing(file_mutex_);
    std::vector<link::AgentId> denied;
    {
      const std::lock_guard lock(shared_->mutex);
      denied.assign(shared_->denied.begin(), shared_->denied.end());
    }
    const auto kept = write_denied(deny_path_, denied);
    if (kept) return;
    env_.log.error("mqtt", "the set of revoked agents is not kept for the broker's next start",
                   {{"problem", kept.error().describe()}});
  }

  void send_control(std::vector<std::string> texts) {
    for (auto& text : texts) {
      session_->send({std::string(topics::control), std::move(text), 1,
                      [session = std::weak_ptr(session_)](const Result<void>& sent) {
                        // A link that is down sends the whole set when it is up; one that is up
                        // but could not is made to start over, for the same effect.
                        if (sent || sent.error().is(reasons::link_down)) return;
                        if (const auto alive = session.lock()) alive->reconnect();
                      }});
    }
  }

  const Env env_;
  const std::string deny_path_;
  std::mutex file_mutex_;  ///< Held while the file is written; never taken on the executor.
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
  session.keep_alive = options.keep_alive;
  session.connect_timeout = options.connect_timeout;
  session.reconnect_cap = gateway_reconnect_cap;
  session.max_pending = limits::inbound_queue;
  auto gateway = std::make_unique<MqttAgentGateway>(
      std::move(options.replica), std::move(options.deny_path), std::move(session), env);
  if (options.prove) gateway->prove_with(std::move(options.prove));
  return gateway;
}

}  // namespace ecp::inline v0::transport
