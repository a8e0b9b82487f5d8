// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/limits.hpp>
#include <ecp/transport/mqtt.hpp>
#include <ecp/transport/reasons.hpp>

#include "transport/direction.hpp"
#include "transport/mqtt/session.hpp"
#include "transport/mqtt/topics.hpp"

namespace ecp::inline v0::transport {

namespace {

/// What handlers under way still need when the link itself is gone.
struct LinkShared {
  LinkHandlers handlers;
  link::AgentId agent;
};

class MqttAgentLink final : public AgentLink {
 public:
  MqttAgentLink(const MqttLinkOptions& options, MqttSessionOptions session, Env env)
      : env_(env),
        shared_(std::make_shared<LinkShared>()),
        inbox_(std::make_shared<Inbox>(env.executor, env.limits.inbound_queue,
                                       limits::inbound_octets)),
        session_(std::make_shared<MqttSession>(std::move(session), env, inbox_)) {
    shared_->agent = options.agent;
  }
  ~MqttAgentLink() override { stop(); }

  Result<void> start(LinkHandlers handlers) override {
    shared_->handlers = std::move(handlers);
    MqttSessionHandlers session;
    session.on_connecting = [shared = shared_] { return greeting(*shared); };
    session.on_state = [shared = shared_](LinkState state, LinkLoss loss) {
      if (shared->handlers.on_state) shared->handlers.on_state(state, loss);
    };
    session.on_message = [shared = shared_, inbox = inbox_](std::string_view topic,
                                                            BytesView payload) {
      auto channel = topics::parse_down(shared->agent, topic);
      if (!channel) return;
      inbox->push(payload.size(),
                  [shared, channel = std::move(*channel), body = Bytes(payload)]() mutable {
                    if (shared->handlers.on_message)
                      shared->handlers.on_message(channel, std::move(body));
                  });
    };
    return session_->start(std::move(session));
  }

  void stop() noexcept override { session_->stop(); }

  void send(Channel channel, Bytes payload, DoneHandler done) override {
    if (auto fits = check_channel(channel, true); !fits) {
      env_.executor.post([done = std::move(done), fits = std::move(fits)] {
        if (done) done(fits);
      });
      return;
    }
    const int qos = channel.kind == ChannelKind::state ? 0 : 1;
    session_->send({topics::of(shared_->agent, channel), std::move(payload), qos, std::move(done)});
  }

  [[nodiscard]] std::size_t max_payload() const noexcept override {
    return session_->max_payload();
  }
  void reconnect() override { session_->reconnect(); }
  void set_reconnect_cap(Milliseconds longest) override { session_->set_reconnect_cap(longest); }

 private:
  static Result<MqttGreeting> greeting(const LinkShared& shared) {
    MqttGreeting greeting;
    greeting.must_be_heard = true;
    greeting.filters = {topics::agent_filter(shared.agent)};
    if (!shared.handlers.on_connecting) return greeting;
    auto presence = shared.handlers.on_connecting();
    if (!presence) return std::move(presence).error();
    const auto topic = topics::of(shared.agent, {ChannelKind::presence, {}, {}});
    greeting.will = MqttMessage{topic, std::move(presence->will), 1, {}};
    greeting.messages.push_back({topic, std::move(presence->birth), 1, {}});
    return greeting;
  }

  const Env env_;
  const std::shared_ptr<LinkShared> shared_;    ///< Shared with handlers under way.
  const std::shared_ptr<Inbox> inbox_;          ///< Shared with the session and handlers.
  const std::shared_ptr<MqttSession> session_;  ///< Shared with its timers under way.
};

}  // namespace

Result<std::unique_ptr<AgentLink>> open_mqtt_agent_link(MqttLinkOptions options, Env env) {
  const auto missing = [](std::string option) {
    return Error(reasons::bad_options, {{"option", std::move(option)}, {"problem", "is missing"}});
  };
  if (options.brokers.empty()) return missing("brokers");
  if (options.tls.roots_path.empty() || options.tls.certificate_path.empty() ||
      options.tls.key_path.empty()) {
    return missing("tls");
  }
  if (options.agent.is_nil()) return missing("agent");
  MqttSessionOptions session;
  session.brokers = options.brokers;
  session.tls = options.tls;
  session.client_id = options.agent.to_string();
  session.keep_alive = options.keep_alive;
  session.connect_timeout = options.connect_timeout;
  session.reconnect_cap = options.reconnect_cap;
  session.max_pending = limits::outbound_queue;
  return std::make_unique<MqttAgentLink>(options, std::move(session), env);
}

}  // namespace ecp::inline v0::transport
