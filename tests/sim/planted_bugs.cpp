// SPDX-License-Identifier: Apache-2.0
#include "sim/planted_bugs.hpp"

#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ecp/agent/agent_store.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/platform/outbox.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/platform.hpp>

#include "sim/passing_stores.hpp"
#include "support/passing_series.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

using Batches = std::vector<std::pair<series::SeriesKey, series::NumberedBatch>>;

/// The answer of a store that has it all.
std::vector<series::Applied> all_of(const Batches& batches) {
  std::vector<series::Applied> said;
  for (const auto& [key, batch] : batches) {
    said.push_back({batch.first + static_cast<std::int64_t>(batch.samples.size()) - 1, {}});
  }
  return said;
}

class LyingSeries final : public PassingSeries {
 public:
  using PassingSeries::PassingSeries;
  Result<std::vector<series::Applied>> append(const Batches& batches) override {
    if (++appends_ % 50 != 0) return PassingSeries::append(batches);
    return all_of(batches);
  }

 private:
  int appends_ = 0;
};

class EmptySeries final : public PassingSeries {
 public:
  using PassingSeries::PassingSeries;
  Result<std::vector<series::Applied>> append(const Batches& batches) override {
    return all_of(batches);
  }
};

class ForgetfulSeries final : public PassingSeries {
 public:
  using PassingSeries::PassingSeries;
  Result<std::vector<series::Applied>> append(const Batches& batches) override {
    auto all = batches;
    for (auto& [key, batch] : all) batch.known.clear();
    return PassingSeries::append(all);
  }
};

class OpenSeries final : public PassingSeries {
 public:
  using PassingSeries::PassingSeries;
  Result<std::vector<series::Applied>> append(const Batches& batches) override {
    auto all = batches;
    for (auto& [key, batch] : all) key.project = {};
    return PassingSeries::append(all);
  }
  Result<std::vector<series::Sample>> samples(const series::SeriesKey& key, std::string_view tag,
                                              Time from, Time to, std::size_t limit) override {
    return PassingSeries::samples({{}, key.service}, tag, from, to, limit);
  }
  Result<std::int64_t> count(const series::SeriesKey& key) override {
    return PassingSeries::count({{}, key.service});
  }
};

class FirstBufferSeries final : public PassingSeries {
 public:
  using PassingSeries::PassingSeries;
  Result<std::vector<series::Applied>> append(const Batches& batches) override {
    auto all = batches;
    for (auto& [key, batch] : all) {
      const auto& first = buffers_.emplace(key, batch.buffer_id).first->second;
      const auto last = batch.first + static_cast<std::int64_t>(batch.samples.size()) - 1;
      if (batch.buffer_id != first) batch.known = {{batch.first, last}};
    }
    return PassingSeries::append(all);
  }

 private:
  std::map<series::SeriesKey, std::string> buffers_;
};

class RestartingSeries final : public PassingSeries {
 public:
  using PassingSeries::PassingSeries;
  Result<std::vector<series::Applied>> append(const Batches& batches) override {
    for (const auto& [key, batch] : batches) {
      auto& buffer = buffers_[key];
      if (!buffer.empty() && buffer != batch.buffer_id) ECP_TRY_VOID(PassingSeries::remove(key));
      buffer = batch.buffer_id;
    }
    return PassingSeries::append(batches);
  }

 private:
  std::map<series::SeriesKey, std::string> buffers_;
};

/// Passes everything on to the real store.
class PassingAgentStore : public InFront<agent::AgentStore> {
 public:
  explicit PassingAgentStore(storage::sql::Connection& connection)
      : InFront(storage::agent_module(), connection) {}

  Result<std::optional<agent::StoredManifest>> manifest() override { return real().manifest(); }
  Result<void> put(const agent::StoredManifest& manifest) override { return real().put(manifest); }
  Result<std::vector<agent::ResourceRow>> resources() override { return real().resources(); }
  Result<void> put(const agent::ResourceRow& row) override { return real().put(row); }
  Result<void> remove_resource(std::string_view name) override {
    return real().remove_resource(name);
  }
  Result<std::optional<std::string>> body(std::string_view sha256) override {
    return real().body(sha256);
  }
  Result<void> put_body(std::string_view sha256, std::string_view body) override {
    return real().put_body(sha256, body);
  }
  Result<void> remove_unused_bodies() override { return real().remove_unused_bodies(); }
  Result<std::optional<agent::JournaledCommand>> command(link::CommandId id) override {
    return real().command(id);
  }
  Result<void> put(const agent::JournaledCommand& command) override { return real().put(command); }
  Result<std::vector<agent::JournaledCommand>> unfinished_commands() override {
    return real().unfinished_commands();
  }
  Result<void> remove_commands(Time before) override { return real().remove_commands(before); }
  Result<std::vector<agent::GuardedTag>> guarded_tags() override { return real().guarded_tags(); }
  Result<void> put(const agent::GuardedTag& tag) override { return real().put(tag); }
  Result<void> remove_guarded_tag(link::EdgeServiceId service, std::string_view tag) override {
    return real().remove_guarded_tag(service, tag);
  }
  Result<std::optional<Time>> cloud_lost_at() override { return real().cloud_lost_at(); }
  Result<void> put_cloud_lost_at(std::optional<Time> at) override {
    return real().put_cloud_lost_at(at);
  }
  Result<std::int64_t> next_connection() override { return real().next_connection(); }
};

class WithoutJournal final : public PassingAgentStore {
 public:
  using PassingAgentStore::PassingAgentStore;
  using PassingAgentStore::put;
  Result<void> put(const agent::JournaledCommand& /*command*/) override { return {}; }
};

class WithFirstManifest final : public PassingAgentStore {
 public:
  using PassingAgentStore::PassingAgentStore;
  using PassingAgentStore::put;
  Result<void> put(const agent::StoredManifest& manifest) override {
    ECP_TRY(const auto known, real().manifest());
    if (known) return {};
    return real().put(manifest);
  }
};

class WithUnreadableManifest final : public PassingAgentStore {
 public:
  using PassingAgentStore::PassingAgentStore;
  Result<std::optional<agent::StoredManifest>> manifest() override {
    ECP_TRY(auto stored, real().manifest());
    if (stored && stored->generation.generation > 2) {
      return Error(reasons::damaged, {{"noun", "manifest"}});
    }
    return stored;
  }
};

class LosingOutbox final : public InFront<platform::OutboxStore> {
 public:
  explicit LosingOutbox(storage::sql::Connection& connection)
      : InFront(storage::platform_module(), connection) {}
  Result<void> insert(const platform::OutboxItem& item) override {
    if (is_unlucky(item.id.bytes())) return {};
    return real().insert(item);
  }
  Result<std::vector<platform::ClaimedItem>> claim_due(std::string_view kind,
                                                       std::string_view holder, Time now, int limit,
                                                       Milliseconds lease) override {
    return real().claim_due(kind, holder, now, limit, lease);
  }
  Result<void> complete(platform::OutboxId id, std::int64_t fence) override {
    return real().complete(id, fence);
  }
  Result<void> retry(platform::OutboxId id, std::int64_t fence, Time due,
                     std::string_view error) override {
    return real().retry(id, fence, due, error);
  }
  Result<std::optional<Time>> next_due(std::string_view kind) override {
    return real().next_due(kind);
  }
  Result<std::int64_t> count(std::string_view kind) override { return real().count(kind); }
  Result<void> remove_scope(const access::Scope& scope) override {
    return real().remove_scope(scope);
  }
};

}  // namespace

SeriesPart lying_series(SeriesPart real) { return std::make_unique<LyingSeries>(std::move(real)); }
SeriesPart empty_series(SeriesPart real) { return std::make_unique<EmptySeries>(std::move(real)); }
SeriesPart forgetful_series(SeriesPart real) {
  return std::make_unique<ForgetfulSeries>(std::move(real));
}
SeriesPart open_series(SeriesPart real) { return std::make_unique<OpenSeries>(std::move(real)); }
SeriesPart first_buffer_series(SeriesPart real) {
  return std::make_unique<FirstBufferSeries>(std::move(real));
}
SeriesPart restarting_series(SeriesPart real) {
  return std::make_unique<RestartingSeries>(std::move(real));
}

const storage::StoreModule& platform_module_that_loses_notices() {
  return planted_in<platform::OutboxStore, LosingOutbox>(storage::platform_module());
}

const storage::StoreModule& agent_module_without_journal() {
  return planted_in<agent::AgentStore, WithoutJournal>(storage::agent_module());
}

const storage::StoreModule& agent_module_with_first_manifest() {
  return planted_in<agent::AgentStore, WithFirstManifest>(storage::agent_module());
}

const storage::StoreModule& agent_module_with_unreadable_manifest() {
  return planted_in<agent::AgentStore, WithUnreadableManifest>(storage::agent_module());
}

}  // namespace ecp_test
