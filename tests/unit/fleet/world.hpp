// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A fleet's cloud side and agents in one process, on a clock that stands still until it is moved.

#include <array>
#include <memory>
#include <string>
#include <vector>

#include <ecp/access/permissions.hpp>
#include <ecp/audit/audit_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/fleet_engine.hpp>
#include <ecp/kind/registry.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/pki/signature.hpp>
#include <ecp/platform/live_events.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/storage/sql/access.hpp>
#include <ecp/storage/sql/audit.hpp>
#include <ecp/storage/sql/fleet.hpp>
#include <ecp/storage/sqlite.hpp>
#include <ecp/transport/loopback.hpp>

#include "support/results.hpp"
#include "support/temporary_folder.hpp"

namespace fleet_test {

using namespace ecp;         // NOLINT: a test reads better without prefixes.
using namespace ecp::fleet;  // NOLINT
using ecp_test::failure;
using ecp_test::must;

constexpr Milliseconds second{1'000};

inline const std::string furnace_config =
    R"({"drivers":[{"name":"plc","type":"modbus-tcp",)"
    R"("host":"127.0.0.1","port":502,"groups":[{"name":"fast","interval_ms":1000,"tags":[)"
    R"({"name":"temperature","address":"1!400001","type":"float32"},)"
    R"({"name":"setpoint","address":"1!400003","type":"float32","writable":true,)"
    R"("min":0,"max":900}]}]}]})";

/// Records what observers and sinks are told.
class Recorder final : public TransitionSink,
                       public NodeObserver,
                       public TrustObserver,
                       public access::DenialSink {
 public:
  Result<void> apply(storage::Transaction&, const EdgeNode&,
                     std::span<const NumberedTransition> some) override {
    if (fails) return Error(ecp::reasons::unavailable, {{"what", "the sink"}});
    transitions.insert(transitions.end(), some.begin(), some.end());
    return {};
  }
  Result<void> node_absent(storage::Transaction&, const EdgeNode& node, Time) override {
    absent.push_back(node.id);
    return {};
  }
  Result<void> node_returned(storage::Transaction&, const EdgeNode& node, Time) override {
    returned.push_back(node.id);
    return {};
  }
  Result<void> service_state_changed(storage::Transaction&, const EdgeNode&,
                                     const EdgeService& service, link::ServiceState,
                                     Time) override {
    service_states.push_back(service.status.state);
    return {};
  }
  Result<void> node_removed(storage::Transaction&, const EdgeNode&) override { return {}; }
  Result<void> service_removed(storage::Transaction&, const EdgeService&) override { return {}; }
  Result<void> token_used_again(storage::Transaction&, const EnrollmentToken& token) override {
    reused.push_back(token.id);
    return {};
  }
  Result<void> token_removed(storage::Transaction&, const EnrollmentToken&) override { return {}; }
  Result<void> identity_doubled(storage::Transaction&, const EdgeNode& node, Time) override {
    doubled.push_back(node.id);
    return {};
  }
  Result<void> database_restored(storage::Transaction&, const EdgeNode& node, Time) override {
    restored.push_back(node.id);
    return {};
  }
  void denied(const access::Grant&, const access::Permission& permission,
              const access::Scope&) override {
    denials.emplace_back(permission.name);
  }

  bool fails = false;
  std::vector<NumberedTransition> transitions;
  std::vector<EdgeNodeId> absent;
  std::vector<EdgeNodeId> returned;
  std::vector<EnrollmentTokenId> reused;
  std::vector<EdgeNodeId> doubled;
  std::vector<EdgeNodeId> restored;
  std::vector<link::ServiceState> service_states;
  std::vector<std::string> denials;
};

/// The engines and registries of one control plane; thrown away and made anew to restart it.
struct Plane {
  Plane(storage::Store& store, series::SeriesStore& series, transport::LoopbackNetwork& network,
        const rbac::Authorizer& authorizer, const pki::SigningKey& key, Recorder& recorder, Env env)
      : gateway(network.gateway()),
        desired(store, key, recorder, env),
        commands(store, authorizer, live, env),
        engine({store, series, *gateway, live, desired, commands, recorder, recorder, recorder}, {},
               env),
        nodes(store, recorder, engine, series, env),
        services({store, desired, commands, recorder, series, kinds, runtimes}, env) {
    kind::add_builtin(kinds, runtimes);
    desired.add_source(source);
    REQUIRE(engine.start());
  }

  kind::KindRegistry kinds;
  kind::RuntimeRegistry runtimes;
  platform::LiveEvents live;
  EdgeServiceSource source;
  std::unique_ptr<transport::AgentGateway> gateway;
  DesiredEngine desired;
  CommandEngine commands;
  FleetEngine engine;
  EdgeNodeRegistry nodes;
  EdgeServiceRegistry services;
};

/// Everything around it.
struct World {
  explicit World(std::uint64_t seed = 1, const Limits& limits = default_limits)
      : env_(seed, limits) {
    start_plane();
  }

  void start_plane() {
    plane = std::make_unique<Plane>(*store, *series, network, authorizer, key, recorder, env());
    run();
  }
  void stop_plane() { plane.reset(); }
  [[nodiscard]] Env env() { return env_.env(); }
  [[nodiscard]] Time now() { return env_.clock.now(); }
  /// Let everything that is due happen.
  void run() { env_.executor.run_ready(); }
  void pass(Milliseconds time) { env_.executor.advance(time); }
  /// Time passes and nothing runs.
  void stand_still(Milliseconds time) { env_.clock.advance(time); }

  [[nodiscard]] access::Grant grant() { return authorizer.system("test", scope); }
  [[nodiscard]] access::Grant powerless() {
    return must(authorizer.authorize({access::PrincipalKind::agent, {}, "test"}, scope, {}));
  }

  EdgeNode add_node(const std::string& name) {
    EdgeNode node;
    node.id = env_.ids.next<EdgeNodeId>();
    node.organization = scope.organization;
    node.project = scope.project;
    node.name = name;
    node.created_at = now();
    must(store->write([&](storage::Transaction& transaction) {
      return transaction.get<EdgeNodeStore>().insert(node);
    }));
    return node;
  }
  EdgeService add_service(EdgeNodeId node, const std::string& name = "furnace") {
    auto made =
        must(plane->services.create(grant(), {name, node, "pipeline", "builtin", furnace_config}));
    run();
    return made;
  }
  [[nodiscard]] EdgeNode node(EdgeNodeId id) { return must(plane->nodes.get(grant(), id)); }
  [[nodiscard]] EdgeService service(EdgeServiceId id) {
    return must(plane->services.get(grant(), id));
  }
  /// Operations in the audit log, oldest first, with ":denied" for refusals.
  std::vector<std::string> audited() {
    std::vector<std::string> names;
    const auto entries = must(store->read([&](storage::Transaction& transaction) {
      return transaction.get<audit::AuditStore>().list({}, {200, 0});
    }));
    for (const auto& stored : entries.items) {
      names.insert(names.begin(),
                   stored.entry.operation +
                       (stored.entry.outcome == audit::Outcome::denied ? ":denied" : ""));
    }
    return names;
  }

  ManualEnv env_;
  ecp::testing::TemporaryFolder folder;
  Recorder recorder;
  access::PermissionRegistry permissions;
  std::unique_ptr<storage::Store> store = open_store(env());
  std::unique_ptr<series::SeriesStore> series =
      must(series::open_embedded_series(folder / "series", env()));
  rbac::Authorizer authorizer{*store, permissions, recorder, env()};
  access::Scope scope{env_.ids.next<access::OrganizationId>(), env_.ids.next<access::ProjectId>()};
  pki::SigningKey key = must(pki::SigningKey::generate());
  transport::LoopbackNetwork network{env()};
  std::unique_ptr<Plane> plane;

 private:
  static std::unique_ptr<storage::Store> open_store(Env env) {
    static const std::array modules{&storage::access_module(), &storage::audit_module(),
                                    &storage::fleet_module()};
    storage::SqliteOptions options;
    options.path = ":memory:";
    options.writer_thread = false;
    return must(storage::open_sqlite(options, modules, env));
  }
};

/// The document of a batch: numbers first..first+count-1 of a buffer, one per second up to `last`.
inline Bytes telemetry_document(EdgeServiceId service, std::int64_t first, std::int64_t count,
                                const std::string& buffer, Time last,
                                const std::string& life = {}) {
  std::vector<series::Sample> samples;
  for (std::int64_t i = 0; i < count; ++i) {
    samples.push_back({"plc/fast/temperature", last - (count - 1 - i) * second,
                       series::Quality::good, static_cast<double>(first + i), "", false});
  }
  link::TelemetryHead head;
  head.buffer_id = buffer;
  head.stream = service.to_string();
  head.first = first;
  head.last = first + count - 1;
  head.life = life;
  return link::encode_telemetry(head, series::encode_samples(samples));
}

/// An agent that says what a test tells it to, and keeps what it is told.
class Agent {
 public:
  Agent(World& world, EdgeNodeId id, std::int64_t connection = 0)
      : connection_(connection), world_(world), id_(id), link_(world.network.link(id)) {
    transport::LinkHandlers handlers;
    handlers.on_connecting = [this]() -> Result<transport::LinkHandlers::Presence> {
      ++connection_;
      return transport::LinkHandlers::Presence{
          link::to_json(link::Presence{true, connection_, "1.0"}),
          link::to_json(link::Presence{false, connection_, "1.0"})};
    };
    handlers.on_message = [this](const transport::Channel& channel, Bytes payload) {
      if (channel.kind == transport::ChannelKind::ack)
        acks.push_back(must(link::parse_ack(payload)));
      if (channel.kind == transport::ChannelKind::desired) {
        manifests.push_back(must(link::parse_signed_manifest(payload)));
      }
      if (channel.kind == transport::ChannelKind::command) {
        commands.push_back(must(link::parse_command(payload)));
      }
      if (channel.kind == transport::ChannelKind::answer_down) answers.push_back(payload);
      if (channel.kind == transport::ChannelKind::question_down) {
        questions.push_back(payload);
        asked = channel;
      }
    };
    REQUIRE(link_->start(std::move(handlers)));
    world.run();
  }
  ~Agent() { stop(); }
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  void stop() {
    link_->stop();
    world_.run();
  }
  void send(transport::ChannelKind kind, Bytes payload, const std::string& label = {}) {
    link_->send({kind, label, {}}, std::move(payload), [](const Result<void>&) {});
    world_.run();
  }
  /// Answer the last question.
  void answer(const std::string& result_json) {
    link_->send({transport::ChannelKind::answer_up, asked.label, asked.replica},
                link::to_json(link::Answer{result_json, {}, {}}), [](const Result<void>&) {});
    world_.run();
  }
  /// Say that nothing has changed since a beat without services or manifest.
  void beat_shortly(std::int64_t buffered = 0) {
    link::Heartbeat heartbeat;
    heartbeat.connection = connection_;
    heartbeat.version = "1.0";
    heartbeat.same = link::facts_of(heartbeat);
    heartbeat.buffered = buffered;
    send(transport::ChannelKind::state, link::to_json(heartbeat));
  }
  void beat(link::Generation applied = {}, std::vector<link::Heartbeat::Service> services = {},
            const std::string& manifest_sha256 = {}) {
    link::Heartbeat heartbeat;
    heartbeat.manifest_sha256 = manifest_sha256;
    heartbeat.connection = connection_;
    heartbeat.version = "1.0";
    heartbeat.applied = applied;
    heartbeat.services = std::move(services);
    send(transport::ChannelKind::state, link::to_json(heartbeat));
  }
  /// Numbers first..first+count-1 of a buffer, one per second up to now.
  void telemetry(EdgeServiceId service, std::int64_t first, std::int64_t count,
                 const std::string& buffer = "buffer-1", const std::string& life = {}) {
    send(transport::ChannelKind::telemetry,
         telemetry_document(service, first, count, buffer, world_.now(), life),
         service.to_string());
  }
  [[nodiscard]] EdgeNodeId id() const { return id_; }

  std::vector<link::Ack> acks;
  std::vector<link::SignedManifest> manifests;
  std::vector<link::Command> commands;
  std::vector<std::string> answers;
  std::vector<std::string> questions;
  transport::Channel asked;  ///< The last question.
  std::int64_t connection_;

 private:
  World& world_;
  EdgeNodeId id_;
  std::unique_ptr<transport::AgentLink> link_;
};

}  // namespace fleet_test
