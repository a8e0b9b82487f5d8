// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// An agent and the plane's end of its link, in one process on a clock that a test moves.

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <doctest/doctest.h>

#include <ecp/agent/agent.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/json.hpp>
#include <ecp/kind/pipeline_config.hpp>
#include <ecp/pki/signature.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/pipeline.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/transport/calls.hpp>
#include <ecp/transport/loopback.hpp>

#include "support/backends.hpp"
#include "support/faulty_store.hpp"
#include "support/scripted_drivers.hpp"

namespace ecp_test {

/// What the plane heard, and what it says.
class PlaneEnd {
 public:
  PlaneEnd(ecp::transport::LoopbackNetwork& network, ecp::ManualEnv& world)
      : world_(world), gateway_(network.gateway()), calls_(*gateway_, world.env()) {
    calls_.on_question([this](ecp::link::AgentId, const ecp::link::Question& question,
                              const ecp::transport::AnswerHandler& reply) {
      if (question.method != "server_time" || !tells_time) return;
      const auto now = ecp::to_ms(world_.clock.now() + clock_offset);
      reply("{\"server_time\":" + std::to_string(now) + "}");
    });
    ecp::transport::GatewayHandlers handlers;
    handlers.on_message = [this](ecp::link::AgentId from, const ecp::transport::Channel& channel,
                                 ecp::Bytes payload) { hear(from, channel, payload); };
    handlers.on_listening = [](bool) {};
    REQUIRE(gateway_->start(std::move(handlers)));
  }
  ~PlaneEnd() {
    calls_.stop();
    gateway_->stop();
  }

  void send(ecp::transport::ChannelKind kind, ecp::Bytes payload) {
    gateway_->send(agent, {kind, {}, {}}, std::move(payload), [](const ecp::Result<void>&) {});
    world_.executor.run_ready();
  }
  void send(const ecp::link::SignedManifest& manifest) {
    send(ecp::transport::ChannelKind::desired, ecp::link::to_json(manifest));
  }
  void send(const ecp::link::Command& command) {
    send(ecp::transport::ChannelKind::command, ecp::link::to_json(command));
  }
  ecp::Result<std::string> ask(const std::string& method) {
    std::optional<ecp::Result<std::string>> answer;
    ecp::link::Question question;
    question.method = method;
    calls_.ask(agent, question, ecp::Milliseconds{1000},
               [&](ecp::Result<std::string> result) { answer = std::move(result); });
    world_.executor.advance(ecp::Milliseconds{2000});
    REQUIRE(answer);
    return *answer;
  }

  ecp::link::AgentId agent{ecp::IdBytes{5}};
  bool acknowledges = true;
  bool tells_time = true;
  ecp::Milliseconds clock_offset{0};
  std::vector<ecp::link::Presence> presences;
  std::vector<ecp::link::Heartbeat> heartbeats;
  std::vector<ecp::link::ReportedItem> reported;
  std::vector<ecp::link::Transition> transitions;
  std::vector<std::pair<std::int64_t, ecp::series::Sample>> samples;  ///< With numbers.
  std::vector<ecp::link::CommandResult> results;
  std::vector<ecp::link::AgentEvent> events;
  int journal_ends = 0;  ///< Batches without items.

 private:
  void hear(ecp::link::AgentId from, const ecp::transport::Channel& channel,
            const ecp::Bytes& payload) {
    using Kind = ecp::transport::ChannelKind;
    CHECK(from == agent);
    if (calls_.take(from, channel, payload)) return;
    if (channel.kind == Kind::presence) presences.push_back(*ecp::link::parse_presence(payload));
    if (channel.kind == Kind::state) take_heartbeat(*ecp::link::parse_heartbeat(payload));
    if (!acknowledges) return;
    if (channel.kind == Kind::telemetry) take_telemetry(payload);
    if (channel.kind == Kind::reported) {
      auto batch = ecp::link::parse_reported_batch(payload);
      REQUIRE(batch);
      if (batch->items.empty()) ++journal_ends;
      for (auto& item : batch->items) {
        if (item.command) results.push_back(*item.command);
        reported.push_back(std::move(item));
      }
      acknowledge("reported", batch->buffer_id, last_of(*batch));
    }
    if (channel.kind == Kind::event) take_events(payload);
    if (channel.kind == Kind::alarm) {
      auto batch = ecp::link::parse_alarm_batch(payload);
      REQUIRE(batch);
      if (batch->items.empty()) ++journal_ends;
      for (auto& item : batch->items) transitions.push_back(std::move(item));
      acknowledge("alarm", batch->buffer_id, last_of(*batch));
    }
  }
  /// A short one says what the last whole one said.
  void take_heartbeat(ecp::link::Heartbeat beat) {
    if (!beat.same.empty()) {
      REQUIRE_FALSE(heartbeats.empty());
      auto whole = heartbeats.back();
      CHECK(ecp::link::facts_of(whole) == beat.same);
      whole.same = beat.same;
      beat = std::move(whole);
    }
    heartbeats.push_back(std::move(beat));
  }
  void take_events(const ecp::Bytes& payload) {
    auto batch = ecp::link::parse_event_batch(payload);
    REQUIRE(batch);
    if (batch->items.empty()) ++journal_ends;
    for (auto& item : batch->items) events.push_back(std::move(item));
    acknowledge("event", batch->buffer_id, last_of(*batch));
  }
  template <class Batch>
  static std::int64_t last_of(const Batch& batch) {
    return batch.first + static_cast<std::int64_t>(batch.items.size()) - 1;
  }
  void take_telemetry(const ecp::Bytes& payload) {
    const auto decoded = ecp::link::decode_telemetry(payload);
    REQUIRE(decoded);
    const auto& head = decoded->first;
    const auto block = ecp::series::decode_samples(decoded->second);
    REQUIRE(block);
    for (std::size_t i = 0; i < block->size(); ++i) {
      samples.emplace_back(head.first + static_cast<std::int64_t>(i), (*block)[i]);
    }
    acknowledge(head.stream, head.buffer_id, head.last);
  }
  void acknowledge(const std::string& stream, const std::string& buffer_id, std::int64_t upto) {
    ecp::link::Ack ack;
    ack.stream = stream;
    ack.buffer_id = buffer_id;
    ack.upto = upto;
    gateway_->send(agent, {ecp::transport::ChannelKind::ack, {}, {}}, ecp::link::to_json(ack),
                   [](const ecp::Result<void>&) {});
  }

  ecp::ManualEnv& world_;
  std::unique_ptr<ecp::transport::AgentGateway> gateway_;
  ecp::transport::GatewayCalls calls_;
};

/// The whole world of one agent.
struct AgentWorld {
  AgentWorld() { boot(); }
  ~AgentWorld() { agent.reset(); }

  void boot() {
    static const std::array modules{&ecp::storage::pipeline_module(),
                                    &ecp::storage::agent_module()};
    ecp::storage::SqliteOptions sqlite;
    sqlite.path = path;
    sqlite.writer_thread = false;
    auto real = ecp::storage::open_sqlite(sqlite, modules, env.env());
    REQUIRE(real);
    store = std::move(*real);
    auto breakable = std::make_unique<FaultyStore>(*store);
    faulty = breakable.get();
    auto factory = std::make_unique<ScriptedDrivers>();
    drivers = factory.get();
    drivers->refuses = refuses_drivers;
    ecp::agent::AgentOptions options;
    options.link.agent = plane.agent;
    options.link.manifest_keys.push_back({key.key_id(), key.public_key()});
    options.writes = writes;
    ecp::agent::AgentParts parts;
    parts.store = std::move(breakable);
    parts.drivers = std::move(factory);
    parts.open_link = [this](const ecp::link::LinkDocument& document)
        -> ecp::Result<std::unique_ptr<ecp::transport::AgentLink>> {
      return network.link(document.agent);
    };
    auto opened = ecp::agent::Agent::open(std::move(options), std::move(parts), env.env());
    REQUIRE(opened);
    agent = std::move(*opened);
    REQUIRE(agent->start());
    wait(0);
  }
  /// Everything in memory is lost.
  void power_cut() {
    agent.reset();
    wait(100'000);  // The will is out, and nobody waits to reconnect any more.
    boot();
  }
  void wait(std::int64_t ms) {
    env.executor.run_ready();
    env.executor.advance(ecp::Milliseconds{ms});
  }

  ecp::link::SignedManifest manifest(std::int64_t generation,
                                     const std::map<std::string, std::string>& bodies) const {
    ecp::link::Manifest made;
    made.agent = plane.agent;
    made.generation = {1, generation};
    for (const auto& [name, body] : bodies) {
      made.resources.push_back(
          {name, ecp::to_hex(ecp::sha256(body)), static_cast<std::int64_t>(body.size())});
    }
    return sign(made, bodies);
  }
  ecp::link::SignedManifest sign(const ecp::link::Manifest& made,
                                 const std::map<std::string, std::string>& bodies) const {
    ecp::link::SignedManifest signed_manifest;
    signed_manifest.manifest = ecp::link::to_json(made);
    signed_manifest.key_id = key.key_id();
    signed_manifest.signature =
        key.sign(std::string(ecp::link::manifest_signature_context) + signed_manifest.manifest);
    signed_manifest.bodies = bodies;
    return signed_manifest;
  }
  [[nodiscard]] std::string service_body(const std::string& driver = "d") const {
    ecp::kind::ServiceResource resource;
    resource.id = service;
    resource.name = "furnace";
    resource.kind = "pipeline";
    resource.runtime = "builtin";
    resource.config_json = R"({"drivers":[{"name":")" + driver +
                           R"(","type":"modbus-tcp","host":"h","groups":[{"name":"g","tags":[
      {"name":"t","address":"1!400001","type":"float32","writable":true,"min":0,"max":100)" +
                           tag_rules + "}]}]}]}";
    return ecp::kind::to_json(resource);
  }
  /// A service that no agent can run.
  [[nodiscard]] std::string unknown_kind_body() const {
    return R"({"id":")" + service.to_string() +
           R"(","name":"x","kind":"acme.unknown","runtime":"builtin","running":true,"config":{}})";
  }
  /// Give the agent its one service, at generation 1.
  void deploy() { plane.send(manifest(1, {{service_name, service_body()}})); }
  ScriptedDriver& driver(const std::string& name = "d") { return *drivers->opened.at(name); }
  void feed(double value) {
    driver().feed({0, 0}, ecp::series::Value(value), env.clock.now());
    wait(200);
  }
  [[nodiscard]] ecp::link::Command write(const std::string& value, std::uint8_t number = 1) const {
    ecp::link::Command command;
    command.id = ecp::link::CommandId(ecp::IdBytes{9, number});
    command.action = "write";
    command.service = service;
    command.tag = "d/g/t";
    command.value_json = value;
    command.expires_at = env.clock.now() + ecp::Milliseconds{30'000};
    return command;
  }

  [[nodiscard]] std::string two_tags_body() const {
    auto body = service_body();
    const std::string more = R"(},{"name":"u","address":"1!400003","type":"int16","writable":true,)"
                             R"("min":0,"max":9}]}]}]})";
    return body.replace(body.rfind("}]}]}]}"), 7, more);
  }
  [[nodiscard]] ecp::link::Command write_tags(std::vector<ecp::link::TagWrite> wanted) const {
    auto command = write("", 50);
    command.action = "write_tags";
    command.tag.clear();
    command.writes = std::move(wanted);
    return command;
  }

  ecp::ManualEnv env;
  bool writes = true;
  bool refuses_drivers = false;  ///< After the next boot.
  std::string tag_rules;         ///< More members of the data tag: ",\"max_step\":1".
  std::string path = SqliteBackend::new_path();
  ecp::transport::LoopbackNetwork network{env.env()};
  PlaneEnd plane{network, env};
  ecp::pki::SigningKey key = std::move(*ecp::pki::SigningKey::generate());
  ecp::link::EdgeServiceId service{ecp::IdBytes{6}};
  std::string service_name = "service/" + service.to_string();
  std::unique_ptr<ecp::storage::Store> store;
  FaultyStore* faulty = nullptr;  ///< The agent's store; `store` behind it.
  ScriptedDrivers* drivers = nullptr;
  std::unique_ptr<ecp::agent::Agent> agent;
};

}  // namespace ecp_test
