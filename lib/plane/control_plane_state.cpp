// SPDX-License-Identifier: Apache-2.0
#include "plane/control_plane_state.hpp"

#include <algorithm>
#include <utility>

#include <ecp/core/file.hpp>

#include "core/guarded_task.hpp"

namespace ecp::inline v0::plane {

namespace {

constexpr Milliseconds renewal_interval{3'600'000};
constexpr Milliseconds sweep_interval{600'000};
constexpr Milliseconds settle_interval{60'000};
// Of a connection with the broker; heartbeats, which are more frequent, are what shows who is
// there.
constexpr Milliseconds shortest_keep_alive{30'000};
constexpr int beats_per_keep_alive = 4;

audit::SequencerOptions sequencer_options(const PlaneConfig& config, const std::string& replica) {
  audit::SequencerOptions options;
  options.checkpoint_path = checkpoint_path(config);
  options.holder = replica;
  return options;
}

http::AddressPolicy webhook_addresses(const PlaneConfig& config) {
  return {false, config.webhook_allowed};
}

alarm::Notifier::Options notifier_options(const PlaneConfig& config) {
  alarm::Notifier::Options options;
  options.addresses = webhook_addresses(config);
  options.roots_pem = config.webhook_roots_pem;
  return options;
}

std::unique_ptr<WorkerPool> outgoing_workers(const PlaneConfig& config) {
  if (config.outgoing_threads == 0) return nullptr;
  return std::make_unique<WorkerPool>(config.outgoing_threads, "ecp-out");
}

std::unique_ptr<Workers> guard(WorkerPool* workers, const Env& env) {
  if (workers == nullptr) return nullptr;
  return std::make_unique<GuardedWorkers>(*workers, env.log, "outgoing worker");
}

Env with_workers(const Env& env, Workers* workers) {
  if (workers == nullptr) return env;
  return {env.clock, env.random, env.ids, env.executor, *workers, env.log, env.limits};
}

fleet::FleetEngine::Parts fleet_parts(Works& works, const Works::Below& below) {
  auto& alarms = below.alarm_engine;
  return {*below.base.store,
          *below.base.series,
          works.gateway,
          below.live,
          works.desired,
          works.commands,
          alarms,
          alarms,
          alarms};
}

fleet::EdgeServiceRegistry::Parts service_parts(Works& works, const Works::Below& below) {
  return {*below.base.store,  works.desired, works.commands, below.alarm_engine,
          *below.base.series, below.kinds,   below.runtimes};
}

fleet::FleetEngine::Options fleet_options(const PlaneConfig& config) {
  fleet::FleetEngine::Options options;
  options.heartbeat = config.heartbeat;
  options.series_keep = config.series_keep;
  options.has_replicas = config.has_replicas;
  return options;
}

}  // namespace

std::string bootstrap_path(const PlaneConfig& config) {
  return config.data_folder + "/bootstrap-secret";
}

std::string checkpoint_path(const PlaneConfig& config) {
  return config.data_folder + "/audit-checkpoints.jsonl";
}

Guards::Guards(Foundation& base, const std::vector<const access::Permission*>& extra, Env env)
    : denials(*base.store, env), authorizer(*base.store, permissions, denials, env) {
  permissions.add(extra);
}

People::People(Foundation& base, const PlaneConfig& config, rbac::MembershipBook& roles,
               const std::vector<tenancy::ScopeObserver*>& observers, Env env)
    : audit(*base.store),
      sequencer(*base.store, base.keys->audit_key, env,
                sequencer_options(config, base.credentials->replica())),
      hasher(identity::hasher_options_for(config.workers)),
      organizations(*base.store, observers, env),
      projects(*base.store, observers, env),
      users(*base.store, hasher, roles, env),
      sessions(*base.store, hasher, roles, env),
      bootstrap(*base.store, hasher, roles, env, bootstrap_path(config)),
      members(*base.store, env) {}

Works::Works(const Below& below, const PlaneConfig& config,
             std::unique_ptr<transport::AgentGateway> inner, std::string root_pin,
             fleet::EnrollmentOptions enrollment_options, Env env)
    : outgoing(outgoing_workers(config)),
      guarded_outgoing(guard(outgoing.get(), env)),
      gateway(std::move(inner)),
      desired(*below.base.store, below.base.keys->manifest_key, below.alarm_engine, env),
      commands(*below.base.store, below.authorizer, below.live, env),
      engine(fleet_parts(*this, below), fleet_options(config), env),
      nodes(*below.base.store, below.alarm_engine, engine, *below.base.series, env),
      services(service_parts(*this, below), env),
      tokens(*below.base.store, std::move(root_pin), below.alarm_engine, env),
      enrollment({*below.base.store, below.base.keys->authority, below.base.keys->manifest_key,
                  below.alarm_engine},
                 std::move(enrollment_options), env),
      rules(*below.base.store, desired, below.alarm_engine, env),
      alarms(*below.base.store),
      webhooks(*below.base.store, below.base.sealing, webhook_addresses(config), env),
      notifier(*below.base.store, *below.base.client, below.base.sealing, notifier_options(config),
               with_workers(env, guarded_outgoing.get())) {
  desired.add_source(service_source);
  desired.add_source(rule_source);
}

ControlPlane::State::State(PlaneConfig config_in, Made made, const Parts& parts, Env env_in)
    : config(std::move(config_in)),
      env(env_in),
      base(std::move(made.base)),
      broker(std::move(made.broker)),
      guards(base, parts.permissions, env),
      idempotency(*base.store, base.sealing, env),
      alarm_engine(guards.authorizer, live, env),
      roles(env),
      people(base, config, roles, {&roles, &fleet_scope, &alarm_engine}, env),
      works({base, guards.authorizer, alarm_engine, live, kinds, runtimes}, config,
            std::move(made.gateway), std::move(made.root_pin),
            enrollment_options(std::move(made.trust_roots)), env),
      hints(config.has_replicas ? std::make_unique<ReplicaHints>(live, works.gateway, env)
                                : nullptr),
      renewing(
          renewal_interval, [this] { renew(); }, env),
      sweeping(
          sweep_interval, [this] { sweep(); }, env),
      settling(
          settle_interval, [this] { settle(); }, env) {
  kind::add_builtin(kinds, runtimes);
  if (parts.add_kinds) parts.add_kinds(kinds, runtimes);
  alarm_engine.on_notices([this] { works.notifier.wake(); });
}

fleet::EnrollmentOptions ControlPlane::State::enrollment_options(std::string trust_roots) {
  fleet::EnrollmentOptions options;
  options.renewal_grace = config.renewal_grace;
  options.link = [this, roots = std::move(trust_roots)] {
    link::LinkDocument document;
    document.brokers = advertised_brokers(config.broker);
    document.https_urls = config.agent_urls;
    document.trust_roots_pem = roots;
    const auto& key = base.keys->manifest_key;
    document.manifest_keys.push_back({key.key_id(), key.public_key()});
    document.heartbeat = config.heartbeat;
    document.keep_alive = std::max(shortest_keep_alive, beats_per_keep_alive * config.heartbeat);
    document.reconnect_cap = config.reconnect_cap;
    return document;
  };
  return options;
}

Result<void> ControlPlane::State::start() {
  ECP_TRY_VOID(people.bootstrap.prepare());
  people.sequencer.start();
  if (hints) works.gateway.hear_replicas([this](BytesView told) { hints->take(told); });
  ECP_TRY_VOID(works.engine.start());
  if (hints) hints->start();
  works.notifier.start();
  renewing.start();
  sweeping.start();
  settling.start();
  return {};
}

void ControlPlane::State::stop() noexcept {
  if (std::exchange(stopped, true)) return;
  if (hints) hints->stop();
  works.engine.stop();
  renewing.stop();
  sweeping.stop();
  settling.stop();
  settle();
  works.notifier.stop();
  if (works.outgoing != nullptr) works.outgoing->stop();
  people.sequencer.stop();
  // Seal what the last moments wrote, so that nothing waits unproven while we are away.
  for (;;) {
    const auto sealed = people.sequencer.run_once();
    if (!sealed || *sealed == 0) break;
  }
  base.store->close();
  if (broker != nullptr && !config.broker.keep_running) broker->stop();
}

void ControlPlane::State::renew() {
  const auto refreshed = base.credentials->refresh();
  if (!refreshed) {
    env.log.error("plane", "certificates could not be renewed",
                  {{"problem", refreshed.error().describe()}});
    return;
  }
  if (refreshed->broker && broker != nullptr) {
    if (auto reloaded = broker->reload_certificate(); !reloaded) {
      env.log.error("plane", "the broker did not take its new certificate",
                    {{"problem", reloaded.error().describe()}});
    }
  }
  std::function<void()> tell;
  {
    const std::lock_guard lock(mutex);
    tell = tls_changed;
  }
  if (refreshed->https && tell) tell();
}

void ControlPlane::State::settle() {
  const auto swept = base.store->write(
      [&](storage::Transaction& transaction) { return alarm_engine.sweep(transaction); });
  const auto recorded = works.enrollment.record_refusals();
  for (const auto* done : {&swept, &recorded}) {
    if (*done) continue;
    env.log.warning("plane", "alarms and refusals could not be settled; it will be tried again",
                    {{"problem", done->error().describe()}});
  }
}

void ControlPlane::State::sweep() {
  if (auto swept = people.sessions.sweep(); !swept) {
    env.log.warning("plane", "old sessions could not be removed",
                    {{"problem", swept.error().describe()}});
  }
  const auto oldest = env.clock.now() - platform::Idempotency::kept_for;
  const auto forgotten = base.store->write([&](storage::Transaction& transaction) {
    return transaction.get<platform::KeyedRequestStore>().remove_before(oldest);
  });
  if (!forgotten) {
    env.log.warning("plane", "old request keys could not be removed",
                    {{"problem", forgotten.error().describe()}});
  }
}

}  // namespace ecp::inline v0::plane
