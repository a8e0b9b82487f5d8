// SPDX-License-Identifier: Apache-2.0
#include "agent/reconciler.hpp"

#include <algorithm>

#include <ecp/agent/reasons.hpp>
#include <ecp/pki/signature.hpp>

#include "core/crash_point.hpp"
#include "core/text.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr std::size_t resources_per_item = 100;  // Fit a message with reasons of full length.

/// Whether what is wanted was not tried yet.
bool is_due(const ResourceRow& row) {
  return row.wanted_sha256 != row.applied_sha256 && row.wanted_sha256 != row.failed_sha256;
}

}  // namespace

Reconciler::Reconciler(storage::Store& store, pipeline::Buffer& buffer, link::AgentId agent,
                       Appliers appliers, Env env)
    : store_(store), buffer_(buffer), agent_(agent), appliers_(std::move(appliers)), env_(env) {}

Result<std::optional<StoredManifest>> Reconciler::stored_manifest() {
  return store_.read(
      [](storage::Transaction& transaction) { return transaction.get<AgentStore>().manifest(); });
}

Result<void> Reconciler::boot() {
  ECP_TRY(const auto manifest, stored_manifest());
  if (!manifest) return {};
  generation_ = manifest->generation;
  manifest_sha256_ = to_hex(sha256(manifest->signed_manifest.manifest));
  std::vector<Good> good;
  auto read = store_.read([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<AgentStore>();
    ECP_TRY(rows_, store.resources());
    good.clear();
    for (const auto& row : rows_) {
      if (row.applied_sha256.empty()) continue;
      ECP_TRY(auto body, store.body(row.applied_sha256));
      if (!body) continue;
      ECP_TRY(const auto newer, store.body(row.wanted_sha256));
      good.push_back({row.name, std::move(*body), is_due(row) && newer.has_value()});
    }
    return {};
  });
  if (!read) return read;
  for (const auto& each : good) {
    if (!each.has_newer) apply_good(each);
  }
  auto reconciled = reconcile();
  for (const auto& each : good) {
    if (each.has_newer && !is_applied(each.name)) apply_good(each);
  }
  return reconciled;
}

/// A program of another version may refuse what it took before: that is reported, and tried again
/// at the next boot.
void Reconciler::apply_good(const Good& good) {
  const auto row = std::find_if(rows_.begin(), rows_.end(),
                                [&](const auto& each) { return each.name == good.name; });
  const auto applied = appliers_.apply(good.name, good.body);
  if (applied) {
    if (row->failed_sha256 == row->applied_sha256) row->failed_sha256.clear();
    return;
  }
  row->failed_sha256 = row->applied_sha256;
  row->reason = text::clip(applied.error().describe(), limits::description_length);
  env_.log.error("agent", "a resource that was good cannot be applied any more",
                 {{"name", good.name}, {"why", applied.error().describe()}});
}

bool Reconciler::is_applied(std::string_view name) const {
  return std::any_of(rows_.begin(), rows_.end(), [&](const auto& row) {
    return row.name == name && row.wanted_sha256 == row.applied_sha256;
  });
}

Result<link::Manifest> Reconciler::verify(const link::SignedManifest& signed_manifest) const {
  const auto key = std::find_if(keys_.begin(), keys_.end(), [&](const auto& each) {
    return each.key_id == signed_manifest.key_id;
  });
  if (key == keys_.end()) {
    return Error(reasons::unknown_manifest_key, {{"key", signed_manifest.key_id.substr(0, 32)}});
  }
  const auto octets = std::string(link::manifest_signature_context) + signed_manifest.manifest;
  ECP_TRY_VOID(pki::verify_signature(key->public_key, octets, signed_manifest.signature));
  ECP_TRY(auto manifest, link::parse_manifest(signed_manifest.manifest));
  if (manifest.agent != agent_) return reasons::foreign_manifest;
  if (manifest.generation <= generation_) return reasons::old_manifest;
  return manifest;
}

Result<void> Reconciler::accept(const link::SignedManifest& signed_manifest) {
  ECP_TRY(const auto manifest, verify(signed_manifest));
  crash_at("manifest.before_store");
  ECP_TRY_VOID(keep(manifest, signed_manifest));
  crash_at("manifest.after_store");
  generation_ = manifest.generation;
  manifest_sha256_ = to_hex(sha256(signed_manifest.manifest));
  env_.log.info("agent", "a manifest was accepted",
                {{"epoch", std::to_string(generation_.epoch)},
                 {"generation", std::to_string(generation_.generation)}});
  return reconcile();
}

/// Keep manifest, wanted hashes and inline bodies in one unit; stop what is not wanted any more.
Result<void> Reconciler::keep(const link::Manifest& manifest,
                              const link::SignedManifest& signed_manifest) {
  std::vector<ResourceRow> rows;
  for (const auto& resource : manifest.resources) {
    const auto known = std::find_if(rows_.begin(), rows_.end(),
                                    [&](const auto& row) { return row.name == resource.name; });
    rows.push_back(known != rows_.end() ? *known : ResourceRow{resource.name, {}, {}, {}, {}});
    rows.back().wanted_sha256 = resource.sha256;
  }
  std::vector<std::string> gone;
  for (const auto& row : rows_) {
    const bool stays = std::any_of(rows.begin(), rows.end(),
                                   [&](const auto& each) { return each.name == row.name; });
    if (!stays) gone.push_back(row.name);
  }
  StoredManifest stored{manifest.generation, signed_manifest};
  stored.signed_manifest.bodies.clear();
  auto kept = store_.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<AgentStore>();
    ECP_TRY_VOID(store.put(stored));
    for (const auto& row : rows) ECP_TRY_VOID(store.put(row));
    for (const auto& name : gone) ECP_TRY_VOID(store.remove_resource(name));
    for (const auto& [name, body] : signed_manifest.bodies) {
      ECP_TRY_VOID(store.put_body(to_hex(sha256(body)), body));
    }
    return store.remove_unused_bodies();  // A body of another hash is not wanted, so it goes too.
  });
  if (!kept) return kept;
  rows_ = std::move(rows);
  for (const auto& name : gone) appliers_.remove(name);
  return {};
}

void Reconciler::apply_row(ResourceRow& row, const std::string& body) {
  const auto applied = appliers_.apply(row.name, body);
  crash_at("manifest.after_apply");
  if (applied) {
    row.applied_sha256 = row.wanted_sha256;
    row.failed_sha256.clear();
    row.reason.clear();
    return;
  }
  row.failed_sha256 = row.wanted_sha256;
  row.reason = text::clip(applied.error().describe(), limits::description_length);
  env_.log.warning("agent", "a resource cannot be applied",
                   {{"name", row.name}, {"why", row.reason}});
}

/// Apply what is wanted and not known to fail, and report how far everything is.
Result<void> Reconciler::reconcile() {
  is_settled_ = false;
  missing_.clear();
  for (auto& row : rows_) {
    if (!is_due(row)) continue;
    ECP_TRY(const auto body, store_.read([&](storage::Transaction& transaction) {
      return transaction.get<AgentStore>().body(row.wanted_sha256);
    }));
    if (body) {
      apply_row(row, *body);
    } else {
      missing_.push_back(row.wanted_sha256);
    }
  }
  const auto items = reported();
  auto kept = store_.write([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<AgentStore>();
    for (const auto& row : rows_) ECP_TRY_VOID(store.put(row));
    ECP_TRY_VOID(store.remove_unused_bodies());
    for (const auto& item : items) ECP_TRY_VOID(buffer_.append(transaction, item));
    return {};
  });
  is_settled_ = kept.has_value();
  return kept;
}

Result<void> Reconciler::take_body(std::string_view sha256_hex, std::string_view body) {
  const auto wanted = std::find(missing_.begin(), missing_.end(), sha256_hex);
  if (wanted == missing_.end()) return {};
  if (to_hex(sha256(body)) != sha256_hex) {
    return Error(reasons::wrong_body, {{"name", std::string(sha256_hex)}});
  }
  ECP_TRY_VOID(store_.write([&](storage::Transaction& transaction) {
    return transaction.get<AgentStore>().put_body(sha256_hex, body);
  }));
  return reconcile();
}

/// All resources, in items that fit into one message each; one empty item when there are none.
std::vector<link::ReportedItem> Reconciler::reported() const {
  std::vector<link::ReportedItem> items;
  for (const auto& row : rows_) {
    if (items.empty() || items.back().resources.size() >= resources_per_item) {
      items.push_back({generation_, {}, {}});
    }
    auto state = link::ResourceState::pending;
    if (row.wanted_sha256 == row.applied_sha256) state = link::ResourceState::applied;
    if (row.wanted_sha256 == row.failed_sha256) state = link::ResourceState::failed;
    items.back().resources.push_back(
        {row.name, row.wanted_sha256, row.applied_sha256, state, row.reason});
  }
  if (items.empty()) items.push_back({generation_, {}, {}});
  return items;
}

}  // namespace ecp::inline v0::agent
