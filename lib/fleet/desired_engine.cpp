// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/desired.hpp>

#include <algorithm>
#include <atomic>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <shared_mutex>
#include <span>
#include <utility>
#include <vector>

#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/fleet/reasons.hpp>
#include <ecp/fleet/restore.hpp>
#include <ecp/pki/signature.hpp>

#include "core/crash_point.hpp"

namespace ecp::inline v0::fleet {
namespace {

constexpr std::int64_t nodes_at_once = 512;
/// An agent that hands over manifests that prove nothing has one audit entry in this time.
constexpr Milliseconds unproven_interval{3'600'000};
constexpr std::size_t nodes_per_unit = 32;  // Few enough that other writers are not kept waiting.

/// Keep as many bodies as may travel inside the message; the agent fetches the others by hash.
void trim_bodies(link::SignedManifest& manifest) {
  std::size_t room = limits::inline_bodies;
  for (auto body = manifest.bodies.begin(); body != manifest.bodies.end();) {
    if (body->second.size() > room) {
      body = manifest.bodies.erase(body);
      continue;
    }
    room -= body->second.size();
    ++body;
  }
}

/// Whether a manifest of ours is one that this database never knew.
bool is_unknown(const EdgeNode& node, link::Generation generation, std::string_view digest) {
  if (generation != node.wanted) return generation > node.wanted;
  return !node.wanted_sha256.empty() && digest != node.wanted_sha256;
}

Bytes signed_octets(BytesView manifest) {
  return std::string(link::manifest_signature_context) + std::string(manifest);
}

}  // namespace

struct DesiredEngine::State : std::enable_shared_from_this<DesiredEngine::State> {
  State(storage::Store& store_in, const pki::SigningKey& key_in, TrustObserver& trust_in,
        Env env_in)
      : store(store_in), key(key_in), trust(trust_in), env(env_in) {}

  /// Assemble soon, once for however many calls come before that.
  void wake() {
    if (stopped || scheduled.exchange(true)) return;
    env.workers.post([state = shared_from_this()] {
      state->scheduled = false;
      if (state->stopped) return;
      if (auto done = state->assemble(); !done) {
        state->env.log.error("fleet", "desired state could not be assembled",
                             {{"error", done.error().describe()}});
      }
    });
  }

  using MadeManifests = std::vector<std::pair<EdgeNodeId, link::SignedManifest>>;

  Result<std::int64_t> assemble();
  Result<MadeManifests> assemble_unit(std::span<const EdgeNodeId> nodes);
  MadeManifests assemble_each(std::span<const EdgeNodeId> nodes);
  Result<std::optional<link::SignedManifest>> assemble_one(storage::Transaction& transaction,
                                                           EdgeNodeId id);
  Result<std::vector<DesiredResource>> collect(storage::Transaction& transaction,
                                               const EdgeNode& node);
  Result<link::SignedManifest> sign(const link::Manifest& manifest,
                                    std::vector<DesiredResource> resources) const;
  Result<void> note_restore(storage::Transaction& transaction, const EdgeNode& node);
  [[nodiscard]] std::optional<link::Manifest> proven(EdgeNodeId id,
                                                     const link::SignedManifest& handed) const;
  Result<bool> note_unproven(EdgeNodeId id);
  Result<void> record_ahead(storage::Transaction& transaction, const EdgeNode& node,
                            audit::Outcome outcome, std::int64_t epoch) const;
  bool may_record_unproven(EdgeNodeId id);
  Result<void> send(EdgeNodeId node);
  void send(EdgeNodeId node, link::SignedManifest manifest);

  storage::Store& store;
  const pki::SigningKey& key;
  TrustObserver& trust;
  Env env;
  std::vector<DesiredSource*> sources;
  std::atomic<transport::AgentGateway*> gateway = nullptr;
  std::atomic<bool> scheduled = false;
  std::atomic<bool> stopped = false;
  std::shared_mutex assembling;  ///< Shared by those who assemble; stop() waits for all.
  std::mutex unproven_mutex;     ///< Over what follows.
  std::map<EdgeNodeId, SteadyTime> unproven;  ///< Who handed one over, and when it was recorded.
};

Result<std::int64_t> DesiredEngine::State::assemble() {
  const std::shared_lock lock(assembling);
  std::int64_t changed = 0;
  std::set<EdgeNodeId> tried;
  while (true) {
    ECP_TRY(const auto nodes, store.read([&](storage::Transaction& transaction) {
      return transaction.get<DesiredStore>().touched(nodes_at_once);
    }));
    std::vector<EdgeNodeId> fresh;
    for (const auto node : nodes) {
      if (tried.insert(node).second) fresh.push_back(node);
    }
    if (fresh.empty()) return changed;
    for (std::size_t i = 0; i < fresh.size(); i += nodes_per_unit) {
      if (stopped) return changed;
      const auto unit =
          std::span<const EdgeNodeId>(fresh).subspan(i, std::min(nodes_per_unit, fresh.size() - i));
      auto made = assemble_unit(unit);
      auto manifests = made ? std::move(*made) : assemble_each(unit);
      changed += static_cast<std::int64_t>(manifests.size());
      crash_at("desired.after_commit");
      for (auto& [node, manifest] : manifests) send(node, std::move(manifest));
      crash_at("desired.after_send");
    }
  }
}

/// The manifests that changed, of some nodes in one commit.
Result<DesiredEngine::State::MadeManifests> DesiredEngine::State::assemble_unit(
    std::span<const EdgeNodeId> nodes) {
  return store.write([&](storage::Transaction& transaction) -> Result<MadeManifests> {
    MadeManifests made;
    for (const auto node : nodes) {
      ECP_TRY(auto manifest, assemble_one(transaction, node));
      if (manifest) made.emplace_back(node, std::move(*manifest));
    }
    return made;
  });
}

/// The same one by one, so that a node whose manifest cannot be made keeps no other from its own.
DesiredEngine::State::MadeManifests DesiredEngine::State::assemble_each(
    std::span<const EdgeNodeId> nodes) {
  MadeManifests all;
  for (const auto& node : nodes) {
    auto made = assemble_unit({&node, 1});
    if (!made) {
      env.log.error("fleet", "the manifest of an edge node could not be made",
                    {{"node", node.to_string()}, {"error", made.error().describe()}});
      continue;
    }
    for (auto& manifest : *made) all.push_back(std::move(manifest));
  }
  return all;
}

Result<std::vector<DesiredResource>> DesiredEngine::State::collect(
    storage::Transaction& transaction, const EdgeNode& node) {
  std::vector<DesiredResource> resources;
  for (auto* source : sources) {
    ECP_TRY(auto more, source->resources(transaction, node));
    for (auto& resource : more) {
      if (resource.body.size() > limits::resource_body) return reasons::manifest_too_large;
      resources.push_back(std::move(resource));
    }
  }
  std::sort(resources.begin(), resources.end(),
            [](const auto& left, const auto& right) { return left.name < right.name; });
  return resources;
}

/// Make a new manifest when the set of resources, or the epoch, really changed.
Result<std::optional<link::SignedManifest>> DesiredEngine::State::assemble_one(
    storage::Transaction& transaction, EdgeNodeId id) {
  auto& nodes = transaction.get<EdgeNodeStore>();
  auto& desired = transaction.get<DesiredStore>();
  ECP_TRY_VOID(desired.settle(id));
  ECP_TRY(const auto node, nodes.find(id));
  if (!node || node->revoked) return std::nullopt;
  ECP_TRY(auto resources, collect(transaction, *node));
  link::Manifest manifest;
  manifest.agent = id;
  for (const auto& resource : resources) {
    manifest.resources.push_back({resource.name, to_hex(sha256(resource.body)),
                                  static_cast<std::int64_t>(resource.body.size())});
  }
  ECP_TRY(const auto stored, desired.find(id));
  if (!stored && manifest.resources.empty()) return std::nullopt;
  if (stored) {
    const auto before = link::parse_manifest(stored->manifest);  // What cannot be read is replaced.
    const bool current = before && before->generation == node->wanted;
    if (current && before->resources == manifest.resources) return std::nullopt;
  }
  manifest.generation = {std::max<std::int64_t>(node->wanted.epoch, 1),
                         node->wanted.generation + 1};
  ECP_TRY(auto made, sign(manifest, std::move(resources)));
  ECP_TRY_VOID(desired.put(id, made));
  ECP_TRY_VOID(nodes.put_wanted(id, manifest.generation, to_hex(sha256(made.manifest))));
  return made;
}

Result<link::SignedManifest> DesiredEngine::State::sign(
    const link::Manifest& manifest, std::vector<DesiredResource> resources) const {
  link::SignedManifest made;
  made.manifest = link::to_json(manifest);
  made.key_id = key.key_id();
  made.signature = key.sign(signed_octets(made.manifest));
  if (link::to_json(made).size() + 2 * limits::inline_bodies > limits::mqtt_packet) {
    return reasons::manifest_too_large;
  }
  for (auto& resource : resources) {
    made.bodies.emplace(std::move(resource.name), std::move(resource.body));
  }
  return made;
}

/// A node has proven that the database was restored. Proofs of one restore come from many nodes; a
/// token of the backup outlives none of them by more than its longest life.
Result<void> DesiredEngine::State::note_restore(storage::Transaction& transaction,
                                                const EdgeNode& node) {
  auto& restores = transaction.get<RestoreStore>();
  const auto now = env.clock.now();
  ECP_TRY(const auto latest, restores.latest());
  if (!latest || now - *latest >= longest_token_life) {
    ECP_TRY_VOID(restores.insert(now));
    ECP_TRY(const auto ended, transaction.get<EnrollmentTokenStore>().expire_all(now));
    const audit::Circumstance circumstance{
        {access::PrincipalKind::agent, node.id.bytes(), "certificate"},
        access::Scope::platform(),
        {}};
    ECP_TRY_VOID(audit::append_unauthenticated(
        transaction, env, circumstance, operations::platform_restored, audit::Outcome::done,
        {"edge_node", node.id.to_string(), node.name},
        {{"enrollment_tokens_ended", std::to_string(ended)}}));
  }
  return trust.database_restored(transaction, node, now);
}

/// The manifest handed over, when we signed it for this node; it is not read before that is known.
std::optional<link::Manifest> DesiredEngine::State::proven(
    EdgeNodeId id, const link::SignedManifest& handed) const {
  if (handed.key_id != key.key_id()) return std::nullopt;
  if (!pki::verify_signature(key.public_key(), signed_octets(handed.manifest), handed.signature)) {
    return std::nullopt;
  }
  auto manifest = link::parse_manifest(handed.manifest);
  if (!manifest || manifest->agent != id) return std::nullopt;
  return std::move(*manifest);
}

Result<bool> DesiredEngine::State::note_unproven(EdgeNodeId id) {
  if (!may_record_unproven(id)) return false;
  return store.write([&](storage::Transaction& transaction) -> Result<bool> {
    ECP_TRY(const auto node, transaction.get<EdgeNodeStore>().find(id));
    if (!node || node->revoked) return reasons::agent_refused;
    ECP_TRY_VOID(record_ahead(transaction, *node, audit::Outcome::denied, 0));
    return false;
  });
}

bool DesiredEngine::State::may_record_unproven(EdgeNodeId id) {
  const auto now = env.clock.steady();
  const std::lock_guard lock(unproven_mutex);
  const auto [found, is_new] = unproven.try_emplace(id, now);
  if (!is_new && now - found->second < unproven_interval) return false;
  found->second = now;
  return true;
}

Result<void> DesiredEngine::State::record_ahead(storage::Transaction& transaction,
                                                const EdgeNode& node, audit::Outcome outcome,
                                                std::int64_t epoch) const {
  const audit::Circumstance circumstance{
      {access::PrincipalKind::agent, node.id.bytes(), "certificate"}, node.scope(), {}};
  return audit::append_unauthenticated(transaction, env, circumstance, operations::edge_node_ahead,
                                       outcome, {"edge_node", node.id.to_string(), node.name},
                                       {{"epoch", std::to_string(epoch)}});
}

Result<void> DesiredEngine::State::send(EdgeNodeId node) {
  if (gateway.load() == nullptr || stopped) return {};
  ECP_TRY(auto manifest, store.read([&](storage::Transaction& transaction) {
    return transaction.get<DesiredStore>().find(node);
  }));
  if (manifest) send(node, std::move(*manifest));
  return {};
}

void DesiredEngine::State::send(EdgeNodeId node, link::SignedManifest manifest) {
  auto* const out = gateway.load();
  if (out == nullptr || stopped) return;
  trim_bodies(manifest);
  out->send(node, {transport::ChannelKind::desired, {}, {}}, link::to_json(manifest),
            [](const Result<void>&) {});  // An agent that missed it shows so in its heartbeat.
}

DesiredEngine::DesiredEngine(storage::Store& store, const pki::SigningKey& key,
                             TrustObserver& trust, Env env)
    : state_(std::make_shared<State>(store, key, trust, env)) {}

DesiredEngine::~DesiredEngine() { stop(); }

void DesiredEngine::add_source(DesiredSource& source) { state_->sources.push_back(&source); }

void DesiredEngine::start(transport::AgentGateway& gateway) {
  state_->gateway = &gateway;
  state_->wake();
}

void DesiredEngine::stop() noexcept {
  state_->stopped = true;
  const std::lock_guard lock(state_->assembling);
  state_->gateway = nullptr;
}

Result<void> DesiredEngine::touch(storage::Transaction& transaction, EdgeNodeId node) {
  ECP_TRY_VOID(transaction.get<DesiredStore>().touch(node));
  transaction.after_commit([state = state_] { state->wake(); });
  return {};
}

Result<void> DesiredEngine::touch_project(storage::Transaction& transaction,
                                          access::ProjectId project) {
  ECP_TRY_VOID(transaction.get<DesiredStore>().touch_project(project));
  transaction.after_commit([state = state_] { state->wake(); });
  return {};
}

Result<std::int64_t> DesiredEngine::assemble() { return state_->assemble(); }

Result<void> DesiredEngine::send(EdgeNodeId node) { return state_->send(node); }

Result<bool> DesiredEngine::adopt(EdgeNodeId id, const link::SignedManifest& handed) {
  const auto manifest = state_->proven(id, handed);
  if (!manifest) return state_->note_unproven(id);
  const auto digest = to_hex(sha256(handed.manifest));
  return state_->store.write([&](storage::Transaction& transaction) -> Result<bool> {
    auto& nodes = transaction.get<EdgeNodeStore>();
    ECP_TRY(const auto node, nodes.find(id));
    if (!node || node->revoked) return reasons::agent_refused;
    if (!is_unknown(*node, manifest->generation, digest)) return false;
    ECP_TRY_VOID(
        state_->record_ahead(transaction, *node, audit::Outcome::done, manifest->generation.epoch));
    ECP_TRY_VOID(nodes.put_wanted(id, {manifest->generation.epoch + 1, 0}, ""));
    ECP_TRY_VOID(transaction.get<DesiredStore>().touch(id));
    ECP_TRY_VOID(state_->note_restore(transaction, *node));
    transaction.after_commit([state = state_] { state->wake(); });
    return true;
  });
}

Result<std::string> DesiredEngine::resource(EdgeNodeId node, std::string_view sha256) {
  return state_->store.read([&](storage::Transaction& transaction) {
    return transaction.get<DesiredStore>().body(node, sha256);
  });
}

}  // namespace ecp::inline v0::fleet
