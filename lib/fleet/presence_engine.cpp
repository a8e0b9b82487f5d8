// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/platform/live_events.hpp>

#include "core/guarded_task.hpp"
#include "fleet/known_agents.hpp"
#include "fleet/live.hpp"
#include "fleet/presence_state.hpp"

namespace ecp::inline v0::fleet {
namespace {

constexpr std::size_t rows_per_unit = 100;
constexpr Milliseconds longest_pause{5'000};  // Between sweeps of a program that runs.

std::string node_json(const PresenceEffect& effect) {
  json::Writer writer;
  writer.begin_object()
      .field("id", effect.agent.to_string())
      .field("state", to_string(effect.status.state))
      .field("absent", effect.status.absent)
      .field("last_seen", to_rfc3339(effect.status.last_seen))
      .end_object();
  return writer.take();
}

}  // namespace

struct PresenceEngine::State {
  State(Parts parts_in, Milliseconds heartbeat, Env env_in)
      : parts(std::move(parts_in)),
        env(env_in),
        patience(heartbeat + heartbeat / 2 + Milliseconds(5'000)),
        known(patience, env_in) {}

  std::optional<PresenceNews> parse(const Heard& heard);
  bool is_nothing_new(const PresenceNews& news);
  Result<std::vector<PresenceEffect>> store(std::span<const PresenceNews> news);
  std::vector<std::size_t> apply(std::span<const PresenceNews> news);
  void note(const PresenceEffect& effect);
  Result<void> check_generations();
  void record_stretches(std::span<const PresenceNews> news);
  Result<void> record_stretch(EdgeNodeId agent, std::int64_t connection);
  Result<void> load_watched();
  Result<std::int64_t> judge(std::span<const KnownAgents::Seen> agents);
  Result<std::int64_t> sweep();

  Parts parts;
  Env env;
  Milliseconds patience;
  KnownAgents known;
  std::optional<SteadyTime> swept;  ///< When the last sweep ended.
};

std::optional<PresenceNews> PresenceEngine::State::parse(const Heard& heard) {
  std::string problem;
  if (heard.channel.kind == transport::ChannelKind::presence) {
    auto presence = link::parse_presence(heard.payload);
    if (presence) return PresenceNews{heard.agent, std::move(*presence)};
    problem = presence.error().describe();
  } else {
    auto heartbeat = link::parse_heartbeat(heard.payload);
    if (heartbeat) return PresenceNews{heard.agent, std::move(*heartbeat)};
    problem = heartbeat.error().describe();
  }
  env.log.warning("fleet", "a presence message was refused",
                  {{"node", heard.agent.to_string()}, {"problem", problem}});
  return std::nullopt;
}

/// True for a heartbeat that changes nothing, or that rests on one that is not known here; then the
/// whole is asked for.
bool PresenceEngine::State::is_nothing_new(const PresenceNews& news) {
  const auto* heartbeat = std::get_if<link::Heartbeat>(&news.what);
  if (heartbeat == nullptr) return false;
  if (known.take_heartbeat(news.agent, *heartbeat)) return true;
  if (heartbeat->same.empty()) return false;
  known.heard(news.agent);
  (void)known.note_found(news.agent);  // It is asked now.
  if (parts.on_unclear) parts.on_unclear(news.agent);
  return true;
}

Result<std::vector<PresenceEffect>> PresenceEngine::State::store(
    std::span<const PresenceNews> news) {
  Result<std::vector<PresenceEffect>> stored = ecp::reasons::internal;
  run_guarded(env.log, "presence", [&] {
    stored = parts.store.write(
        [&](storage::Transaction& transaction) -> Result<std::vector<PresenceEffect>> {
          std::vector<PresenceEffect> effects;
          for (const auto& one : news) {
            ECP_TRY(auto effect, apply_presence(transaction, parts, env, one));
            if (effect) effects.push_back(std::move(*effect));
          }
          return effects;
        });
  });
  return stored;
}

/// Return the places of births and wills that could not be stored. Nothing of an agent is stored
/// behind one that failed: a birth would count as one of another disk.
std::vector<std::size_t> PresenceEngine::State::apply(std::span<const PresenceNews> news) {
  if (const auto all = store(news)) {
    for (const auto& effect : *all) note(effect);
    return {};
  }
  std::set<EdgeNodeId> failed;
  std::vector<std::size_t> unstored;
  for (const auto& one : news) {  // One that fails must not hold up the others.
    if (failed.count(one.agent) == 0) {
      const auto effects = store(std::span(&one, 1));
      if (effects) {
        for (const auto& effect : *effects) note(effect);
        continue;
      }
      failed.insert(one.agent);
      env.log.error("fleet", "presence could not be stored",
                    {{"node", one.agent.to_string()}, {"error", effects.error().describe()}});
    }
    if (std::holds_alternative<link::Presence>(one.what)) unstored.push_back(one.place);
  }
  return unstored;
}

/// A committed change: remember it and tell those who wait for it. An agent that was connected
/// before we listened is asked: it then also tells where its journals end, of which a database that
/// was put back meanwhile may not know.
void PresenceEngine::State::note(const PresenceEffect& effect) {
  if (effect.doubtful) {
    if (parts.on_doubtful) parts.on_doubtful(effect.agent, effect.status.connection);
    return;
  }
  const bool is_heartbeat = !effect.facts.empty();
  if (is_heartbeat && known.note_found(effect.agent) && parts.on_unclear) {
    parts.on_unclear(effect.agent);
  }
  known.note(effect);
  if (effect.changed || effect.connected) {
    parts.live.publish(effect.scope, "node", node_json(effect));
  }
  for (const auto& service : effect.services) {
    parts.live.publish(effect.scope, "service", live_json(service));
  }
  if (effect.connected && parts.on_connected) parts.on_connected(effect.agent);
  if (effect.behind && parts.on_behind) parts.on_behind(effect.agent);
  if (effect.ahead && parts.on_ahead) parts.on_ahead(effect.agent);
}

/// Heartbeats that changed nothing may still show another manifest than is wanted by now. Judged
/// together: a read for each would be most of what a quiet fleet costs.
Result<void> PresenceEngine::State::check_generations() {
  const auto alive = known.take_unchecked();
  if (alive.empty()) return {};
  ECP_TRY(const auto wanted,
          parts.store.read([&](storage::Transaction& transaction) -> Result<std::vector<EdgeNode>> {
            std::vector<EdgeNode> nodes;
            for (const auto agent : alive) {
              ECP_TRY(auto node, transaction.get<EdgeNodeStore>().find(agent));
              if (node) nodes.push_back(std::move(*node));
            }
            return nodes;
          }));
  for (const auto& node : wanted) {
    if (node.is_behind() && parts.on_behind) parts.on_behind(node.id);
    if (node.is_ahead() && parts.on_ahead) parts.on_ahead(node.id);
  }
  return {};
}

/// Once for a connection, however often its birth has to be tried.
Result<void> PresenceEngine::State::record_stretch(EdgeNodeId agent, std::int64_t connection) {
  const auto seen = known.seen_before(agent, connection);
  if (!seen) return {};
  ECP_TRY_VOID(fleet::record_stretch(parts, env, agent, connection, *seen));
  known.note_stretch(agent, connection);
  return {};
}

void PresenceEngine::State::record_stretches(std::span<const PresenceNews> news) {
  for (const auto& one : news) {
    const auto* presence = std::get_if<link::Presence>(&one.what);
    if (presence == nullptr || !presence->up) continue;
    if (const auto done = record_stretch(one.agent, presence->connection); !done) {
      env.log.warning("fleet", "a gap could not be recorded",
                      {{"node", one.agent.to_string()}, {"error", done.error().describe()}});
    }
  }
}

Result<void> PresenceEngine::State::load_watched() {
  EdgeNodeId after;
  while (true) {
    constexpr std::int64_t page = 1'000;
    ECP_TRY(const auto ids, parts.store.read([&](storage::Transaction& transaction) {
      return transaction.get<EdgeNodeStore>().list_watched(after, page);
    }));
    known.watch(ids);
    if (ids.size() < static_cast<std::size_t>(page)) return {};
    after = ids.back();
  }
}

Result<std::int64_t> PresenceEngine::State::judge(std::span<const KnownAgents::Seen> some) {
  std::vector<EdgeNodeId> alive;  // Heard by another replica.
  std::vector<EdgeNodeId> gone;
  ECP_TRY(const auto effects,
          parts.store.write(
              [&](storage::Transaction& transaction) -> Result<std::vector<PresenceEffect>> {
                std::vector<PresenceEffect> made;
                alive.clear();
                gone.clear();
                for (const auto& [agent, seen] : some) {
                  if (!known.is_silent(agent)) continue;  // Heard while this unit waited.
                  ECP_TRY(const auto node, transaction.get<EdgeNodeStore>().find(agent));
                  if (node && node->status.last_seen > seen &&
                      node->status.last_seen > env.clock.now() - patience) {
                    alive.push_back(agent);
                    continue;
                  }
                  ECP_TRY(auto effect, apply_silence(transaction, parts, env, agent, seen));
                  if (effect) {
                    made.push_back(std::move(*effect));
                  } else {
                    gone.push_back(agent);
                  }
                }
                return made;
              }));
  known.judge(alive, gone);
  for (const auto& effect : effects) note(effect);
  return static_cast<std::int64_t>(effects.size());
}

PresenceEngine::PresenceEngine(Parts parts, Milliseconds heartbeat, Env env)
    : state_(std::make_unique<State>(std::move(parts), heartbeat, env)) {}

PresenceEngine::~PresenceEngine() = default;

std::vector<std::size_t> PresenceEngine::take(std::span<const Heard> messages) {
  std::vector<PresenceNews> news;
  for (std::size_t place = 0; place < messages.size(); ++place) {
    auto parsed = state_->parse(messages[place]);
    if (!parsed || state_->is_nothing_new(*parsed)) continue;
    parsed->place = place;
    news.push_back(std::move(*parsed));
  }
  if (news.empty()) return {};
  state_->record_stretches(news);
  return state_->apply(news);
}

Result<std::optional<std::int64_t>> PresenceEngine::confirm(EdgeNodeId agent,
                                                            const link::Presence& presence,
                                                            std::int64_t asked_at) {
  const PresenceNews news{agent, presence, 0, asked_at};
  state_->record_stretches({&news, 1});
  ECP_TRY(const auto effects, state_->store({&news, 1}));
  for (const auto& effect : effects) {
    if (effect.doubtful) return std::optional(effect.status.connection);
    state_->note(effect);
  }
  state_->known.note_present(agent);
  return std::nullopt;
}

bool PresenceEngine::is_present(EdgeNodeId agent) const { return state_->known.is_present(agent); }

void PresenceEngine::heard(EdgeNodeId agent) { state_->known.heard(agent); }

void PresenceEngine::listening(bool now_listening) { state_->known.listening(now_listening); }

Result<std::int64_t> PresenceEngine::State::sweep() {
  if (known.is_stale()) {
    ECP_TRY_VOID(load_watched());
  }
  ECP_TRY_VOID(check_generations());
  const auto silent = known.silent();
  std::int64_t absent = 0;
  for (std::size_t at = 0; at < silent.size(); at += rows_per_unit) {
    const auto some = std::span(silent).subspan(at, std::min(rows_per_unit, silent.size() - at));
    ECP_TRY(const auto judged, judge(some));
    absent += judged;
  }
  return absent;
}

/// What agents said while this program stood still waits to be read: their silence is ours.
Result<std::int64_t> PresenceEngine::sweep() {
  auto& state = *state_;
  if (state.swept && state.env.clock.steady() - *state.swept > longest_pause) {
    state.known.wait_anew();
  }
  auto absent = state.sweep();
  state.swept = state.env.clock.steady();
  return absent;
}

Result<void> PresenceEngine::flush() {
  const auto rows = state_->known.take_unwritten();
  for (std::size_t at = 0; at < rows.size(); at += rows_per_unit) {
    const auto end = std::min(at + rows_per_unit, rows.size());
    const auto unit = [&](storage::Transaction& transaction) -> Result<void> {
      auto& nodes = transaction.get<EdgeNodeStore>();
      for (auto i = at; i < end; ++i) {
        ECP_TRY_VOID(nodes.touch_seen(rows[i].agent, rows[i].seen));
        if (!rows[i].vitals) continue;
        link::Heartbeat vitals;
        vitals.buffered = rows[i].vitals->buffered;
        vitals.dropped = rows[i].vitals->dropped;
        vitals.host = rows[i].vitals->host;
        ECP_TRY_VOID(nodes.put_vitals(rows[i].agent, vitals));
      }
      return {};
    };
    ECP_TRY_VOID(state_->parts.store.write(unit));
  }
  return {};
}

void PresenceEngine::forget(EdgeNodeId agent) { state_->known.forget(agent); }

}  // namespace ecp::inline v0::fleet
