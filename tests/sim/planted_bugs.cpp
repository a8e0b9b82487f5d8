// SPDX-License-Identifier: Apache-2.0
#include "sim/planted_bugs.hpp"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include <ecp/agent/agent_store.hpp>
#include <ecp/platform/outbox.hpp>
#include <ecp/storage/sql/agent.hpp>
#include <ecp/storage/sql/platform.hpp>

#include "sim/passing_series.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

using Batches = std::vector<std::pair<series::SeriesKey, series::NumberedBatch>>;

class LyingSeries final : public PassingSeries {
 public:
  using PassingSeries::PassingSeries;
  Result<std::vector<series::Applied>> append(const Batches& batches) override {
    if (++appends_ % 50 != 0) return PassingSeries::append(batches);
    std::vector<series::Applied> said;
    for (const auto& [key, batch] : batches) {
      said.push_back({batch.first + static_cast<std::int64_t>(batch.samples.size()) - 1, {}});
    }
    return said;
  }

 private:
  int appends_ = 0;
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

template <class Port>
storage::ErasedStore real_store(const storage::StoreModule& module,
                                storage::sql::Connection& connection) {
  const auto own =
      std::find_if(module.factories.begin(), module.factories.end(),
                   [](const auto& factory) { return factory.store_name == Port::store_name; });
  return own->make(connection);
}

/// Passes everything on to the real store.
class AgentStoreBefore : public agent::AgentStore {
 public:
  explicit AgentStoreBefore(storage::sql::Connection& connection)
      : real_(real_store<agent::AgentStore>(storage::agent_module(), connection)) {}

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

 protected:
  [[nodiscard]] agent::AgentStore& real() const {
    return *static_cast<agent::AgentStore*>(real_.get());
  }

 private:
  storage::ErasedStore real_;
};

class WithoutJournal final : public AgentStoreBefore {
 public:
  using AgentStoreBefore::AgentStoreBefore;
  using AgentStoreBefore::put;
  Result<void> put(const agent::JournaledCommand& /*command*/) override { return {}; }
};

class WithFirstManifest final : public AgentStoreBefore {
 public:
  using AgentStoreBefore::AgentStoreBefore;
  using AgentStoreBefore::put;
  Result<void> put(const agent::StoredManifest& manifest) override {
    ECP_TRY(const auto known, real().manifest());
    if (known) return {};
    return real().put(manifest);
  }
};

class LosingOutbox final : public platform::OutboxStore {
 public:
  explicit LosingOutbox(storage::sql::Connection& connection)
      : real_(real_store<platform::OutboxStore>(storage::platform_module(), connection)) {}
  Result<void> insert(const platform::OutboxItem& item) override {
    if (++inserts_ % 5 == 0) return {};
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

 private:
  [[nodiscard]] platform::OutboxStore& real() const {
    return *static_cast<platform::OutboxStore*>(real_.get());
  }
  storage::ErasedStore real_;
  int inserts_ = 0;
};

/// A module with another adapter of one of its stores.
template <class Port, class Adapter>
class PlantedModule {
 public:
  explicit PlantedModule(const storage::StoreModule& own)
      : factories_(own.factories.begin(), own.factories.end()), module_(own) {
    for (auto& factory : factories_) {
      if (factory.store_name != Port::store_name) continue;
      factory = {Port::store_name, [](storage::sql::Connection& connection) {
                   return storage::erase<Port>(new Adapter(connection));
                 }};
    }
    module_.factories = factories_;
  }
  [[nodiscard]] const storage::StoreModule& module() const { return module_; }

 private:
  std::vector<storage::StoreFactory> factories_;
  storage::StoreModule module_;
};

}  // namespace

std::unique_ptr<series::SeriesStore> lying_series(std::unique_ptr<series::SeriesStore> real) {
  return std::make_unique<LyingSeries>(std::move(real));
}

std::unique_ptr<series::SeriesStore> forgetful_series(std::unique_ptr<series::SeriesStore> real) {
  return std::make_unique<ForgetfulSeries>(std::move(real));
}

std::unique_ptr<series::SeriesStore> open_series(std::unique_ptr<series::SeriesStore> real) {
  return std::make_unique<OpenSeries>(std::move(real));
}

const storage::StoreModule& platform_module_that_loses_notices() {
  static const PlantedModule<platform::OutboxStore, LosingOutbox> planted(
      storage::platform_module());
  return planted.module();
}

const storage::StoreModule& agent_module_without_journal() {
  static const PlantedModule<agent::AgentStore, WithoutJournal> planted(storage::agent_module());
  return planted.module();
}

const storage::StoreModule& agent_module_with_first_manifest() {
  static const PlantedModule<agent::AgentStore, WithFirstManifest> planted(storage::agent_module());
  return planted.module();
}

}  // namespace ecp_test
