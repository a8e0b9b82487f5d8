// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/audit/audit.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/kind/pipeline_config.hpp>

#include "fleet/presence_state.hpp"

namespace ecp::inline v0::fleet {
namespace {

constexpr Milliseconds least_stretch{3'000};

/// The shortest interval at which a service is asked for values; the length of a silence that says
/// nothing.
Milliseconds pace_of(const EdgeService& service) {
  auto pace = Milliseconds::max();
  const auto config = kind::parse_pipeline_config(service.config_json);
  if (!config) return Milliseconds(0);
  for (const auto& driver : config->drivers) {
    for (const auto& group : driver.groups) pace = std::min(pace, group.interval);
  }
  return pace == Milliseconds::max() ? Milliseconds(0) : pace;
}

/// One node inside a transaction, with its effect in the making.
class Application {
 public:
  Application(storage::Transaction& transaction, const PresenceEngine::Parts& parts, Env env,
              EdgeNode node)
      : transaction_(transaction), parts_(parts), env_(env), node_(std::move(node)) {
    effect_.agent = node_.id;
    effect_.scope = node_.scope();
  }

  /// An answer is as old as its question: a connection stored since then may be a later one.
  Result<PresenceEffect> birth(const link::Presence& presence,
                               const std::optional<std::int64_t>& asked_at) {
    auto& status = node_.status;
    effect_.is_present = true;
    if (is_of_now(presence)) return again();
    if (status.state != ConnectionState::never && presence.connection <= status.connection) {
      const bool is_proof = asked_at && presence.connection <= *asked_at;
      effect_.doubtful = !is_proof && (asked_at || parts_.doubts_births);
      effect_.is_present = !effect_.doubtful;
      if (effect_.doubtful) return done();
      ECP_TRY_VOID(distrust_buffers());
      ECP_TRY_VOID(note_flip());
    }
    status.connection = presence.connection;
    status.ended = std::min(status.ended, presence.connection - 1);
    status.version = presence.version;
    ECP_TRY_VOID(come_online());
    effect_.connected = true;
    return store();
  }

  Result<PresenceEffect> will(const link::Presence& presence) {
    auto& status = node_.status;
    const bool is_known =
        status.ended == presence.connection && status.state != ConnectionState::online;
    if (presence.connection != status.connection || is_known) {
      return done();  // Of an older connection, or known already.
    }
    status.ended = presence.connection;
    if (status.state == ConnectionState::online) {
      status.state = ConnectionState::offline;
      status.changed_at = env_.clock.now();
      effect_.changed = true;
    }
    return store();
  }

  Result<PresenceEffect> heartbeat(const link::Heartbeat& heartbeat) {
    auto& status = node_.status;
    if (heartbeat.connection < status.connection) {
      effect_.doubtful = true;
      return done();
    }
    effect_.is_present = true;
    if (heartbeat.connection > status.connection) effect_.connected = true;
    status.connection = heartbeat.connection;
    status.version = heartbeat.version;
    status.applied = heartbeat.applied;
    status.manifest_sha256 = heartbeat.manifest_sha256;
    status.buffered = heartbeat.buffered;
    status.dropped = heartbeat.dropped;
    status.host = heartbeat.host;
    ECP_TRY_VOID(come_online());
    for (const auto& service : heartbeat.services) ECP_TRY_VOID(note_service(service));
    effect_.facts = link::facts_of(heartbeat);
    effect_.behind = node_.is_behind();
    effect_.ahead = node_.is_ahead();
    return store();
  }

  Result<PresenceEffect> silence(Time since) {
    auto& status = node_.status;
    if (status.state == ConnectionState::online) {
      status.state = ConnectionState::offline;
      status.changed_at = env_.clock.now();
    }
    status.absent = true;
    effect_.changed = true;
    ECP_TRY_VOID(parts_.observer.node_absent(transaction_, node_, since));
    return store();
  }

 private:
  /// Whether a birth is of the connection that is stored and, as far as is known, has not ended:
  /// silence is no end. After its end it is another disk's, which counted so far, too.
  [[nodiscard]] bool is_of_now(const link::Presence& presence) const {
    const auto& status = node_.status;
    if (presence.connection != status.connection) return false;
    if (status.state == ConnectionState::online) return true;
    return status.state != ConnectionState::never && presence.connection != status.ended;
  }

  /// The same birth, delivered twice, or told after a silence.
  Result<PresenceEffect> again() {
    if (node_.status.state == ConnectionState::online) return done();
    ECP_TRY_VOID(come_online());
    return store();
  }

  /// The agent's disk was restored or copied: numbers in its buffers may have been used twice.
  Result<void> distrust_buffers() {
    transaction_.after_commit([log = &env_.log, id = node_.id] {
      log->warning("fleet", "an agent came with an old connection counter",
                   {{"node", id.to_string()}});
    });
    ECP_TRY_VOID(transaction_.get<BufferStore>().refuse_all(node_.id));
    ECP_TRY_VOID(parts_.commands.distrust(transaction_, node_.id));
    return audit::append_unauthenticated(
        transaction_, env_,
        {{access::PrincipalKind::agent, node_.id.bytes(), "certificate"}, node_.scope(), {}},
        operations::edge_node_event, audit::Outcome::done,
        {"edge_node", node_.id.to_string(), node_.name},
        {{"event", "presence.counter_not_above"},
         {"text", "the agent's disk was restored or copied; its buffers are numbered anew"}});
  }

  Result<void> note_flip() {
    auto& flips = node_.status.flips;
    const auto now = env_.clock.now();
    flips.push_back(now);
    const auto is_over = [now](Time flip) { return flip <= now - identity_window; };
    flips.erase(std::remove_if(flips.begin(), flips.end(), is_over), flips.end());
    if (flips.size() < identity_flips) return {};
    flips.erase(flips.begin(), flips.end() - static_cast<std::ptrdiff_t>(identity_flips));
    return parts_.trust.identity_doubled(transaction_, node_, now);
  }

  Result<void> come_online() {
    auto& status = node_.status;
    const auto now = env_.clock.now();
    status.last_seen = std::max(status.last_seen, now);
    if (status.state != ConnectionState::online) {
      status.state = ConnectionState::online;
      status.changed_at = now;
      effect_.changed = true;
    }
    if (!status.absent) return {};
    status.absent = false;
    effect_.changed = true;
    return parts_.observer.node_returned(transaction_, node_, now);
  }

  Result<void> note_service(const link::Heartbeat::Service& told) {
    auto& services = transaction_.get<EdgeServiceStore>();
    ECP_TRY(auto service, services.find(told.id));
    if (!service || service->node != node_.id) return {};
    auto& status = service->status;
    if (status.state == told.state && status.reason == told.reason) return {};
    const auto before = status.state;
    status.reason = told.reason;
    if (before != told.state) {
      status.state = told.state;
      status.changed_at = env_.clock.now();
      ECP_TRY_VOID(parts_.observer.service_state_changed(transaction_, node_, *service, before,
                                                         status.changed_at));
    }
    ECP_TRY_VOID(services.put_status(told.id, status));
    effect_.services.push_back(std::move(*service));
    return {};
  }

  Result<PresenceEffect> store() {
    ECP_TRY_VOID(transaction_.get<EdgeNodeStore>().put_status(node_.id, node_.status));
    return done();
  }

  Result<PresenceEffect> done() {
    effect_.status = node_.status;
    return std::move(effect_);
  }

  storage::Transaction& transaction_;
  const PresenceEngine::Parts& parts_;
  Env env_;
  EdgeNode node_;
  PresenceEffect effect_;
};

}  // namespace

Result<std::optional<PresenceEffect>> apply_presence(storage::Transaction& transaction,
                                                     const PresenceEngine::Parts& parts, Env env,
                                                     const PresenceNews& news) {
  ECP_TRY(auto node, transaction.get<EdgeNodeStore>().find(news.agent));
  if (!node || node->revoked) return std::nullopt;
  Application application(transaction, parts, env, std::move(*node));
  if (const auto* heartbeat = std::get_if<link::Heartbeat>(&news.what)) {
    ECP_TRY(auto effect, application.heartbeat(*heartbeat));
    return std::optional<PresenceEffect>(std::move(effect));
  }
  const auto& presence = std::get<link::Presence>(news.what);
  ECP_TRY(auto effect,
          presence.up ? application.birth(presence, news.asked_at) : application.will(presence));
  return std::optional<PresenceEffect>(std::move(effect));
}

Result<std::optional<PresenceEffect>> apply_silence(storage::Transaction& transaction,
                                                    const PresenceEngine::Parts& parts, Env env,
                                                    EdgeNodeId agent, Time seen) {
  ECP_TRY(auto node, transaction.get<EdgeNodeStore>().find(agent));
  if (!node || node->revoked || node->status.absent) return std::nullopt;
  const auto since = std::max(seen, node->status.last_seen);
  Application application(transaction, parts, env, std::move(*node));
  ECP_TRY(auto effect, application.silence(since));
  return std::optional<PresenceEffect>(std::move(effect));
}

Result<void> record_stretch(const PresenceEngine::Parts& parts, Env env, EdgeNodeId agent,
                            std::int64_t connection, Time seen) {
  std::vector<EdgeService> services;
  ECP_TRY(
      const auto node,
      parts.store.read([&](storage::Transaction& transaction) -> Result<std::optional<EdgeNode>> {
        ECP_TRY(auto found, transaction.get<EdgeNodeStore>().find(agent));
        ECP_TRY(services, transaction.get<EdgeServiceStore>().list_of_node(agent));
        return found;
      }));
  if (!node || node->status.state == ConnectionState::never) return {};
  if (connection == node->status.connection) return {};
  const auto from = std::max(node->status.last_seen, seen);
  const auto to = env.clock.now();
  for (const auto& service : services) {
    if (!service.running || to - from < std::max(least_stretch, 3 * pace_of(service))) continue;
    ECP_TRY_VOID(parts.series.record_gap({service.project.bytes(), service.id.bytes()},
                                         {from, to, 0, "no_data"}));
  }
  return {};
}

}  // namespace ecp::inline v0::fleet
