// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <set>

#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/platform/live_events.hpp>

#include "core/guarded_task.hpp"
#include "fleet/live.hpp"
#include "fleet/presence_state.hpp"

namespace ecp::inline v0::fleet {
namespace {

constexpr std::size_t rows_per_unit = 100;
constexpr Milliseconds reload_interval{30'000};

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
        patience(heartbeat + heartbeat / 2 + Milliseconds(5'000)) {}

  std::optional<PresenceNews> parse(const Heard& heard);
  bool is_only_alive(const PresenceNews& news);
  Result<std::vector<PresenceEffect>> store(std::span<const PresenceNews> news);
  std::vector<std::size_t> apply(std::span<const PresenceNews> news);
  void note(const PresenceEffect& effect);
  Result<void> check_generations();
  void record_stretches(std::span<const PresenceNews> news);
  Result<void> record_stretch(EdgeNodeId agent, std::int64_t connection);
  Result<void> load_watched();
  std::vector<std::pair<EdgeNodeId, Time>> silent();
  [[nodiscard]] bool is_silent(const KnownAgent& known, SteadyTime now) const;
  bool is_still_silent(EdgeNodeId agent);
  Result<std::int64_t> judge(std::span<const std::pair<EdgeNodeId, Time>> agents);

  Parts parts;
  Env env;
  Milliseconds patience;
  std::mutex mutex;  ///< Over what follows; never held while the store is called.
  std::unordered_map<EdgeNodeId, KnownAgent> agents;
  std::set<EdgeNodeId> unchecked;  ///< Alive, but perhaps not at the manifest that is wanted.
  std::set<EdgeNodeId> present;    ///< Who told their connection since we listen.
  bool is_listening = false;
  SteadyTime listening_since{};
  SteadyTime reloaded{};
};

std::optional<PresenceNews> PresenceEngine::State::parse(const Heard& heard) {
  std::string problem;
  if (heard.channel.kind == transport::ChannelKind::presence) {
    auto presence = link::parse_presence(heard.payload);
    if (presence) return PresenceNews{heard.agent, std::move(*presence), 0, false};
    problem = presence.error().describe();
  } else {
    auto heartbeat = link::parse_heartbeat(heard.payload);
    if (heartbeat) return PresenceNews{heard.agent, std::move(*heartbeat), 0, false};
    problem = heartbeat.error().describe();
  }
  env.log.warning("fleet", "a presence message was refused",
                  {{"node", heard.agent.to_string()}, {"problem", problem}});
  return std::nullopt;
}

bool is_short(const PresenceNews& news) {
  const auto* heartbeat = std::get_if<link::Heartbeat>(&news.what);
  return heartbeat != nullptr && !heartbeat->same.empty();
}

/// True for a heartbeat that says nothing new; it is remembered, and written by flush.
bool PresenceEngine::State::is_only_alive(const PresenceNews& news) {
  const auto* heartbeat = std::get_if<link::Heartbeat>(&news.what);
  if (heartbeat == nullptr) return false;
  const bool is_short = !heartbeat->same.empty();
  const auto facts = is_short ? heartbeat->same : link::facts_of(*heartbeat);
  const std::lock_guard lock(mutex);
  const auto found = agents.find(news.agent);
  if (found == agents.end()) return false;
  auto& known = found->second;
  if (known.state != ConnectionState::online || !known.watched || known.facts != facts) {
    return false;
  }
  known.heard = env.clock.steady();
  known.seen = env.clock.now();
  known.dirty = true;
  present.insert(news.agent);
  if (!is_short) known.vitals = {heartbeat->buffered, heartbeat->dropped, heartbeat->host};
  if (known.vitals) {
    known.vitals->buffered = heartbeat->buffered;
    known.vitals->dropped = heartbeat->dropped;
  }
  unchecked.insert(news.agent);
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

/// A committed change: remember it and tell those who wait for it.
void PresenceEngine::State::note(const PresenceEffect& effect) {
  if (effect.doubtful) return parts.on_doubtful(effect.agent);
  {
    const std::lock_guard lock(mutex);
    if (effect.is_present) present.insert(effect.agent);
    auto& known = agents[effect.agent];
    known.state = effect.status.state;
    known.connection = effect.status.connection;
    known.watched = !effect.status.absent;
    if (!effect.facts.empty()) {
      known.facts = effect.facts;
      const auto& status = effect.status;
      known.vitals = KnownAgent::Vitals{status.buffered, status.dropped, status.host};
    }
    if (effect.status.state == ConnectionState::online) {
      known.heard = env.clock.steady();
      known.seen = env.clock.now();
    } else if (known.heard == SteadyTime{}) {
      known.heard = env.clock.steady();
    }
  }
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
  std::set<EdgeNodeId> alive;
  std::unique_lock lock(mutex);
  alive.swap(unchecked);
  lock.unlock();
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
  Time seen{};
  {
    const std::lock_guard lock(mutex);
    if (const auto known = agents.find(agent); known != agents.end()) {
      if (known->second.stretched == connection) return {};
      seen = known->second.seen;
    }
  }
  ECP_TRY_VOID(fleet::record_stretch(parts, env, agent, connection, seen));
  const std::lock_guard lock(mutex);
  if (const auto known = agents.find(agent); known != agents.end()) {
    known->second.stretched = connection;
  }
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
    const std::lock_guard lock(mutex);
    for (const auto id : ids) {
      const auto made = agents.try_emplace(id);
      if (made.second) made.first->second.heard = env.clock.steady();
    }
    reloaded = env.clock.steady();
    if (ids.size() < static_cast<std::size_t>(page)) return {};
    after = ids.back();
  }
}

bool PresenceEngine::State::is_silent(const KnownAgent& known, SteadyTime now) const {
  return known.watched && std::max(known.heard, listening_since) < now - patience;
}

bool PresenceEngine::State::is_still_silent(EdgeNodeId agent) {
  const std::lock_guard lock(mutex);
  const auto found = agents.find(agent);
  return is_listening && found != agents.end() && is_silent(found->second, env.clock.steady());
}

/// Agents whose silence is longer than our patience, and when they were last seen.
std::vector<std::pair<EdgeNodeId, Time>> PresenceEngine::State::silent() {
  const std::lock_guard lock(mutex);
  std::vector<std::pair<EdgeNodeId, Time>> found;
  if (!is_listening) return found;
  const auto now = env.clock.steady();
  for (const auto& [id, known] : agents) {
    if (is_silent(known, now)) found.emplace_back(id, known.seen);
  }
  std::sort(found.begin(), found.end());  // The same order in every run.
  return found;
}

Result<std::int64_t> PresenceEngine::State::judge(
    std::span<const std::pair<EdgeNodeId, Time>> some) {
  std::vector<EdgeNodeId> alive;  // Heard by another replica.
  std::vector<EdgeNodeId> gone;
  ECP_TRY(const auto effects,
          parts.store.write(
              [&](storage::Transaction& transaction) -> Result<std::vector<PresenceEffect>> {
                std::vector<PresenceEffect> made;
                alive.clear();
                gone.clear();
                for (const auto& [agent, seen] : some) {
                  if (!is_still_silent(agent)) continue;  // Heard while this unit waited.
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
  {
    const std::lock_guard lock(mutex);
    for (const auto agent : alive) agents[agent].heard = env.clock.steady();
    for (const auto agent : gone) agents[agent].watched = false;
  }
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
    if (!parsed || state_->is_only_alive(*parsed)) continue;
    if (is_short(*parsed)) {  // Of something that we never heard, or have forgotten.
      heard(parsed->agent);
      if (state_->parts.on_unclear) state_->parts.on_unclear(parsed->agent);
      continue;
    }
    parsed->place = place;
    news.push_back(std::move(*parsed));
  }
  if (news.empty()) return {};
  state_->record_stretches(news);
  return state_->apply(news);
}

Result<void> PresenceEngine::confirm(EdgeNodeId agent, const link::Presence& presence) {
  const PresenceNews news{agent, presence, 0, true};
  state_->record_stretches({&news, 1});
  ECP_TRY(const auto effects, state_->store({&news, 1}));
  for (const auto& effect : effects) state_->note(effect);
  const std::lock_guard lock(state_->mutex);
  state_->present.insert(agent);
  return {};
}

bool PresenceEngine::is_present(EdgeNodeId agent) const {
  const std::lock_guard lock(state_->mutex);
  return state_->present.count(agent) > 0;
}

void PresenceEngine::heard(EdgeNodeId agent) {
  const std::lock_guard lock(state_->mutex);
  const auto found = state_->agents.find(agent);
  if (found == state_->agents.end()) return;
  found->second.heard = state_->env.clock.steady();
  found->second.seen = state_->env.clock.now();
  found->second.dirty = true;
}

void PresenceEngine::listening(bool now_listening) {
  const std::lock_guard lock(state_->mutex);
  if (now_listening && !state_->is_listening) state_->listening_since = state_->env.clock.steady();
  if (now_listening != state_->is_listening) state_->present.clear();
  state_->is_listening = now_listening;
  state_->reloaded = {};
}

Result<std::int64_t> PresenceEngine::sweep() {
  bool reload = false;
  {
    const std::lock_guard lock(state_->mutex);
    const auto now = state_->env.clock.steady();
    reload = state_->is_listening &&
             (state_->reloaded == SteadyTime{} || now - state_->reloaded > reload_interval);
  }
  if (reload) ECP_TRY_VOID(state_->load_watched());
  ECP_TRY_VOID(state_->check_generations());
  const auto silent = state_->silent();
  std::int64_t absent = 0;
  for (std::size_t at = 0; at < silent.size(); at += rows_per_unit) {
    const auto some = std::span(silent).subspan(at, std::min(rows_per_unit, silent.size() - at));
    ECP_TRY(const auto judged, state_->judge(some));
    absent += judged;
  }
  return absent;
}

Result<void> PresenceEngine::flush() {
  struct Row {
    EdgeNodeId agent;
    Time seen;
    std::optional<KnownAgent::Vitals> vitals;
  };
  std::vector<Row> rows;
  {
    const std::lock_guard lock(state_->mutex);
    for (auto& [id, known] : state_->agents) {
      if (!known.dirty) continue;
      known.dirty = false;
      rows.push_back({id, known.seen, known.vitals});
    }
  }
  // Neighbours in the table share its pages, so that a unit writes few.
  std::sort(rows.begin(), rows.end(),
            [](const Row& left, const Row& right) { return left.agent < right.agent; });
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

void PresenceEngine::forget(EdgeNodeId agent) {
  const std::lock_guard lock(state_->mutex);
  state_->agents.erase(agent);
  state_->present.erase(agent);
}

}  // namespace ecp::inline v0::fleet
