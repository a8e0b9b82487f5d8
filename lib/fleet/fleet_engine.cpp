// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/fleet_engine.hpp>

#include <algorithm>
#include <atomic>
#include <shared_mutex>
#include <utility>

#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node_store.hpp>

#include "fleet/agent_dialogue.hpp"
#include "fleet/held_births.hpp"
#include "fleet/lane.hpp"
#include "fleet/pending_counts.hpp"

namespace ecp::inline v0::fleet {
namespace {

constexpr std::size_t messages_at_once = 100;
/// Births and wills of one agent that a full lane still takes. They are sent once a connection, so
/// that none may be lost; an agent that sends more has itself to blame.
constexpr std::size_t vital_births = 4;
/// Births and wills of one agent that may wait at all.
constexpr std::size_t most_births = 16;
constexpr Milliseconds birth_retry{1'000};
constexpr Milliseconds sweep_interval{1'000};
constexpr Milliseconds denied_interval{2'000};
constexpr Milliseconds flush_interval{5'000};
constexpr Milliseconds expire_interval{3'600'000};

}  // namespace

struct FleetEngine::State : std::enable_shared_from_this<FleetEngine::State> {
  State(const Parts& parts_in, Options options_in, Env env_in)
      : parts(parts_in), options(options_in), env(env_in) {}

  void compose();
  void compose_presence();
  void on_message(EdgeNodeId agent, const transport::Channel& channel, Bytes payload);
  void work_control(std::vector<Heard>& messages);
  void work_presence(std::span<Heard> messages);
  void take_presence(std::span<Heard> messages);
  void work_telemetry(std::vector<Heard>& messages);
  [[nodiscard]] bool is_doubtful(EdgeNodeId agent) const {
    return dialogue->is_doubted(agent) || (options.has_replicas && !presence->is_present(agent));
  }
  void log_dropped(EdgeNodeId agent);
  void log_dropped_by_gateway();
  Result<void> refresh_denied();
  void repeat(Milliseconds interval, const char* what, Result<void> (State::*job)());
  Result<void> sweep();
  Result<void> flush();
  Result<void> expire();

  Parts parts;
  Options options;
  Env env;
  std::unique_ptr<IngestEngine> ingest;
  std::unique_ptr<PresenceEngine> presence;
  std::shared_ptr<AgentDialogue> dialogue;  // Shared: with its questions on their way.
  std::shared_ptr<Lane> telemetry;          // Shared: with its posted tasks.
  std::shared_ptr<Lane> control;            // Shared: with its posted tasks.
  PendingCounts births;     ///< While an agent has one, its telemetry follows it in `control`.
  HeldBirths held;          ///< In `control` only.
  SteadyTime held_until{};  ///< In `control` only: when those are tried again.
  std::atomic<bool> stopped = false;
  std::atomic<std::int64_t> denied_version = -1;
  std::uint64_t told_dropped = 0;  ///< In `flush` only.
  std::shared_mutex job_mutex;     ///< Shared by timed jobs; stop() waits for all.
};

void FleetEngine::State::compose_presence() {
  PresenceEngine::Parts wired{parts.store, parts.series, parts.observer,
                              parts.trust, parts.live,   parts.commands,
                              {},          {},           {},
                              {}};
  wired.on_connected = [this](EdgeNodeId agent) { parts.commands.resend(agent); };
  wired.on_behind = [this](EdgeNodeId agent) {
    if (const auto sent = parts.desired.send(agent); !sent) {
      env.log.warning("fleet", "a manifest could not be sent",
                      {{"node", agent.to_string()}, {"error", sent.error().describe()}});
    }
  };
  wired.on_ahead = [this](EdgeNodeId agent) { dialogue->ask_manifest(agent); };
  wired.on_doubtful = [this](EdgeNodeId agent, std::int64_t stored) {
    dialogue->doubt(agent, stored);
  };
  wired.doubts_births = options.has_replicas;
  wired.on_unclear = [this](EdgeNodeId agent) { dialogue->ask_state(agent); };
  presence = std::make_unique<PresenceEngine>(std::move(wired), options.heartbeat, env);
}

void FleetEngine::State::compose() {
  ingest = std::make_unique<IngestEngine>(
      IngestEngine::Parts{parts.store, parts.series, parts.gateway, parts.commands,
                          parts.transitions, parts.live},
      env);
  compose_presence();
  const auto lane = [this](auto member) {
    return std::make_shared<Lane>(
        [weak = weak_from_this(), member](std::vector<Heard>& messages) {
          if (const auto self = weak.lock()) (self.get()->*member)(messages);
        },
        messages_at_once, env);
  };
  telemetry = lane(&State::work_telemetry);
  control = lane(&State::work_control);
  AgentDialogue::Parts asking{parts.gateway, parts.desired, {}, {}};
  asking.confirm = [weak = weak_from_this()](
                       EdgeNodeId agent, const link::Presence& told,
                       std::int64_t asked_at) -> Result<std::optional<std::int64_t>> {
    const auto self = weak.lock();
    if (!self) return Error(ecp::reasons::cancelled, {{"what", "asking an agent"}});
    return self->presence->confirm(agent, told, asked_at);
  };
  asking.take_state = [weak = std::weak_ptr(control)](EdgeNodeId agent, std::string text) {
    const auto alive = weak.lock();
    if (alive) alive->push({agent, {transport::ChannelKind::state, {}, {}}, std::move(text)});
  };
  dialogue = std::make_shared<AgentDialogue>(std::move(asking), env);
}

void FleetEngine::State::on_message(EdgeNodeId agent, const transport::Channel& channel,
                                    Bytes payload) {
  if (stopped || dialogue->take(agent, channel, payload)) return;
  const bool is_birth = channel.kind == transport::ChannelKind::presence;
  const auto waiting = is_birth ? births.add(agent) : 0;
  const bool vital = is_birth && waiting <= vital_births;
  const bool fast = channel.kind == transport::ChannelKind::telemetry && !births.has(agent) &&
                    !is_doubtful(agent);
  const auto& lane = fast ? telemetry : control;
  if (waiting <= most_births && lane->push({agent, channel, std::move(payload)}, vital)) return;
  if (is_birth) births.settle(agent);
  log_dropped(agent);
}

void FleetEngine::State::log_dropped(EdgeNodeId agent) {
  env.log.warning("fleet", "too many messages wait; one was dropped and will come again",
                  {{"node", agent.to_string()}});
}

/// Now and then: a line for each would cost more than the message.
void FleetEngine::State::log_dropped_by_gateway() {
  const auto dropped = parts.gateway.dropped();
  const auto before = std::exchange(told_dropped, dropped);
  if (dropped == before) return;
  env.log.warning(
      "fleet", "messages did not fit the inbound queue and were dropped",
      {{"count", std::to_string(dropped - before)}, {"since_start", std::to_string(dropped)}});
}

void FleetEngine::State::work_telemetry(std::vector<Heard>& messages) {
  for (const auto& message : messages) presence->heard(message.agent);
  ingest->take_telemetry(messages);
}

/// Births and wills before journals and telemetry: a birth may refuse the buffers that those are
/// from. What is behind a birth that could not be stored comes again, but for births and wills.
void FleetEngine::State::work_control(std::vector<Heard>& messages) {
  using transport::ChannelKind;
  const auto is_presence = [](const Heard& heard) {
    return heard.channel.kind == ChannelKind::presence || heard.channel.kind == ChannelKind::state;
  };
  const auto is_journal = [](const Heard& heard) {
    return heard.channel.kind != ChannelKind::telemetry;
  };
  const auto is_held = [this](const Heard& heard) {
    if (is_doubtful(heard.agent)) dialogue->doubt(heard.agent, unknown_connection);
    return held.has(heard.agent) || dialogue->is_doubted(heard.agent);
  };
  const auto others = std::stable_partition(messages.begin(), messages.end(), is_presence);
  work_presence({messages.begin(), others});
  const auto end = std::remove_if(others, messages.end(), is_held);
  const auto values = std::stable_partition(others, end, is_journal);
  const std::span<Heard> journals(others, values);
  for (const auto& message : std::span<Heard>(others, end)) presence->heard(message.agent);
  ingest->take_journals(journals);
  for (auto& message : std::span<Heard>(values, end)) {
    const auto agent = message.agent;
    if (!telemetry->push(std::move(message))) log_dropped(agent);
  }
}

/// Take what is held and due, then what is new.
void FleetEngine::State::work_presence(std::span<Heard> messages) {
  while (!held.empty() && env.clock.steady() >= held_until) {
    auto some = held.take(messages_at_once);
    take_presence(some);
  }
  if (held.empty()) return take_presence(messages);
  std::vector<Heard> fresh;
  for (auto& message : messages) {
    if (!held.has(message.agent)) {
      fresh.push_back(std::move(message));
    } else if (message.channel.kind == transport::ChannelKind::presence) {
      held.hold(std::move(message));
    }
  }
  take_presence(fresh);
}

/// Births and wills come once a connection, so that those that could not be stored are held.
void FleetEngine::State::take_presence(std::span<Heard> messages) {
  std::vector<std::size_t> unstored;
  run_guarded(env.log, "births and heartbeats", [&] { unstored = presence->take(messages); });
  for (const auto place : unstored) held.hold(messages[place]);
  for (std::size_t place = 0; place < messages.size(); ++place) {
    const auto& message = messages[place];
    const bool is_birth = message.channel.kind == transport::ChannelKind::presence;
    const bool is_stored = !std::binary_search(unstored.begin(), unstored.end(), place);
    if (is_birth && is_stored) births.settle(message.agent);
  }
  const auto now = env.clock.steady();
  if (unstored.empty() || now < held_until) return;
  held_until = now + birth_retry;
  env.executor.post_after(birth_retry, [lane = std::weak_ptr(control)] {
    if (const auto alive = lane.lock()) alive->wake();
  });
}

Result<void> FleetEngine::State::refresh_denied() {
  std::vector<EdgeNodeId> denied;
  ECP_TRY(const auto version,
          parts.store.read([&](storage::Transaction& transaction) -> Result<std::int64_t> {
            auto& nodes = transaction.get<EdgeNodeStore>();
            ECP_TRY(const auto current, nodes.denied_version());
            if (current != denied_version) {
              ECP_TRY(denied, nodes.list_revoked());
            }
            return current;
          }));
  if (version == denied_version) return {};
  denied_version = version;
  for (const auto node : denied) presence->forget(node);
  parts.gateway.set_denied(denied);
  return {};
}

Result<void> FleetEngine::State::sweep() {
  ECP_TRY_VOID(presence->sweep());
  return {};
}

Result<void> FleetEngine::State::flush() {
  log_dropped_by_gateway();
  ECP_TRY_VOID(presence->flush());
  ECP_TRY_VOID(parts.commands.sweep());
  ECP_TRY_VOID(parts.desired.assemble());  // What another replica left.
  return {};
}

Result<void> FleetEngine::State::expire() {
  ECP_TRY_VOID(parts.series.expire(env.clock.now() - options.series_keep));
  return {};
}

/// Run a job on a worker again and again, each time the interval after the last one ended.
void FleetEngine::State::repeat(Milliseconds interval, const char* what,
                                Result<void> (State::*job)()) {
  env.executor.post_after(interval, [weak = weak_from_this(), interval, what, job] {
    const auto self = weak.lock();
    if (!self || self->stopped) return;
    self->env.workers.post([self, interval, what, job] {
      {
        const std::shared_lock lock(self->job_mutex);
        if (self->stopped) return;
        run_guarded(self->env.log, what, [&] {
          if (const auto done = (self.get()->*job)(); !done) {
            self->env.log.error("fleet", "a recurring job failed; it will be tried again",
                                {{"job", what}, {"error", done.error().describe()}});
          }
        });
      }
      self->repeat(interval, what, job);
    });
  });
}

FleetEngine::FleetEngine(const Parts& parts, Options options, Env env)
    : state_(std::make_shared<State>(parts, options, env)) {
  state_->compose();
}

FleetEngine::~FleetEngine() { stop(); }

Result<void> FleetEngine::start() {
  auto& state = *state_;
  ECP_TRY_VOID(state.refresh_denied());
  state.parts.commands.start(state.parts.gateway);
  state.parts.desired.start(state.parts.gateway);
  state.dialogue->start();
  const std::weak_ptr<State> weak = state_;
  transport::GatewayHandlers handlers;
  handlers.on_message = [weak](EdgeNodeId agent, const transport::Channel& channel, Bytes payload) {
    if (const auto self = weak.lock()) self->on_message(agent, channel, std::move(payload));
  };
  handlers.on_listening = [weak](bool listening) {
    const auto self = weak.lock();
    if (self && !self->stopped) self->presence->listening(listening);
  };
  ECP_TRY_VOID(state.parts.gateway.start(std::move(handlers)));
  state.repeat(sweep_interval, "presence", &State::sweep);
  state.repeat(flush_interval, "flush", &State::flush);
  state.repeat(denied_interval, "denied", &State::refresh_denied);
  state.repeat(expire_interval, "series", &State::expire);
  return {};
}

void FleetEngine::stop() noexcept {
  auto& state = *state_;
  if (state.stopped.exchange(true)) return;
  state.parts.gateway.stop();
  state.dialogue->stop();
  state.telemetry->stop();
  state.control->stop();
  state.parts.commands.stop();
  state.parts.desired.stop();
  const std::lock_guard lock(state.job_mutex);
  if (const auto flushed = state.presence->flush(); !flushed) {
    state.env.log.warning("fleet", "the time agents were last seen could not be written",
                          {{"error", flushed.error().describe()}});
  }
}

void FleetEngine::deny(EdgeNodeId node) {
  state_->parts.gateway.deny(node);
  state_->dialogue->forget(node);
  state_->presence->forget(node);
}

std::size_t FleetEngine::backlog() const {
  return state_->telemetry->size() + state_->control->size();
}

}  // namespace ecp::inline v0::fleet
