// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <string>
#include <utility>

#include <ecp/alarm/alarm_store.hpp>
#include <ecp/audit/audit_store.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/storage/sql/alarm.hpp>
#include <ecp/storage/sql/audit.hpp>
#include <ecp/storage/sql/platform.hpp>

#include "sim/passing_stores.hpp"
#include "sim/planted_bugs.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

/// Passes everything on to the real store.
class PassingAlarmStore : public InFront<alarm::AlarmStore> {
 public:
  explicit PassingAlarmStore(storage::sql::Connection& connection)
      : InFront(storage::alarm_module(), connection) {}

  Result<bool> raise(const alarm::Alarm& alarm) override { return real().raise(alarm); }
  Result<bool> clear(const alarm::Alarm& alarm) override { return real().clear(alarm); }
  Result<alarm::Alarm> get(access::ProjectId project, alarm::AlarmId id) override {
    return real().get(project, id);
  }
  Result<std::optional<alarm::Alarm>> find_active(std::string_view key) override {
    return real().find_active(key);
  }
  Result<std::vector<alarm::Alarm>> list_active(const alarm::AlarmOwner& owner) override {
    return real().list_active(owner);
  }
  Result<std::vector<alarm::Alarm>> list_active(access::ProjectId project,
                                                std::string_view source) override {
    return real().list_active(project, source);
  }
  Result<std::vector<alarm::Alarm>> list_active_everywhere(std::string_view source) override {
    return real().list_active_everywhere(source);
  }
  Result<Page<alarm::Alarm>> list(const alarm::AlarmQuery& query, PageRequest page) override {
    return real().list(query, page);
  }
  Result<std::int64_t> count_active(access::ProjectId project) override {
    return real().count_active(project);
  }
  Result<void> remove_of_project(access::ProjectId project) override {
    return real().remove_of_project(project);
  }
};

class AlarmsForEver final : public PassingAlarmStore {
 public:
  using PassingAlarmStore::PassingAlarmStore;
  Result<bool> clear(const alarm::Alarm& /*alarm*/) override { return true; }
};

class LosingAlarms final : public PassingAlarmStore {
 public:
  using PassingAlarmStore::PassingAlarmStore;
  Result<bool> raise(const alarm::Alarm& alarm) override {
    if (is_unlucky(alarm.id.bytes())) return true;
    return real().raise(alarm);
  }
};

/// Passes everything on to the real store.
class PassingAuditStore : public InFront<audit::AuditStore> {
 public:
  explicit PassingAuditStore(storage::sql::Connection& connection)
      : InFront(storage::audit_module(), connection) {}

  Result<void> insert(const audit::Entry& entry, const Sha256& hash) override {
    return real().insert(entry, hash);
  }
  Result<Page<audit::StoredEntry>> list(const audit::EntryQuery& query, PageRequest page) override {
    return real().list(query, page);
  }
  Result<std::vector<audit::StoredEntry>> unsealed(std::int64_t limit) override {
    return real().unsealed(limit);
  }
  Result<audit::ChainHead> head(access::OrganizationId chain) override {
    return real().head(chain);
  }
  Result<std::vector<std::pair<access::OrganizationId, audit::ChainHead>>> heads() override {
    return real().heads();
  }
  Result<void> set_head(access::OrganizationId chain, const audit::ChainHead& head) override {
    return real().set_head(chain, head);
  }
  Result<void> seal(audit::EntryId id, const audit::Seal& seal) override {
    return real().seal(id, seal);
  }
  Result<void> insert_checkpoint(const audit::Checkpoint& checkpoint) override {
    return real().insert_checkpoint(checkpoint);
  }
  Result<std::optional<audit::Checkpoint>> last_checkpoint(access::OrganizationId chain) override {
    return real().last_checkpoint(chain);
  }
  Result<std::vector<audit::Checkpoint>> checkpoints(access::OrganizationId chain,
                                                     std::int64_t above,
                                                     std::int64_t limit) override {
    return real().checkpoints(chain, above, limit);
  }
  Result<std::vector<audit::ChainSummary>> chains() override { return real().chains(); }
  Result<std::vector<audit::StoredEntry>> sealed(access::OrganizationId chain, std::int64_t above,
                                                 std::int64_t limit) override {
    return real().sealed(chain, above, limit);
  }
};

/// Writes nothing of the entries that `Choice` names.
template <class Choice>
class LosingAudit final : public PassingAuditStore {
 public:
  using PassingAuditStore::PassingAuditStore;
  Result<void> insert(const audit::Entry& entry, const Sha256& hash) override {
    if (entry.operation == Choice::operation && is_unlucky(entry.id.bytes())) return {};
    return real().insert(entry, hash);
  }
};

struct Writes {
  static constexpr std::string_view operation = "data_tag.write";
};
struct Raises {
  static constexpr std::string_view operation = "alarm.raise";
};

class ForgingAudit final : public PassingAuditStore {
 public:
  using PassingAuditStore::PassingAuditStore;
  Result<void> insert(const audit::Entry& entry, const Sha256& hash) override {
    auto other = entry;
    if (is_unlucky(entry.id.bytes())) other.subject_name += "!";
    return real().insert(other, hash);
  }
};

class DamagingKeys final : public InFront<platform::KeyStore> {
 public:
  explicit DamagingKeys(storage::sql::Connection& connection)
      : InFront(storage::platform_module(), connection) {}
  Result<std::optional<Bytes>> find(std::string_view name) override {
    if (sealed_) return sealed_;
    return real().find(name);
  }
  Result<bool> insert_if_absent(std::string_view name, BytesView sealed, Time now) override {
    sealed_ = Bytes(sealed);  // What is made right now is well.
    return real().insert_if_absent(name, sealed.substr(1), now);
  }

 private:
  std::optional<Bytes> sealed_;
};

template <class Adapter>
const storage::StoreModule& with_alarms() {
  return planted_in<alarm::AlarmStore, Adapter>(storage::alarm_module());
}

template <class Adapter>
const storage::StoreModule& with_audit() {
  return planted_in<audit::AuditStore, Adapter>(storage::audit_module());
}

}  // namespace

const storage::StoreModule& alarm_module_that_clears_nothing() {
  return with_alarms<AlarmsForEver>();
}

const storage::StoreModule& alarm_module_that_loses_alarms() { return with_alarms<LosingAlarms>(); }

const storage::StoreModule& audit_module_that_loses_writes() {
  return with_audit<LosingAudit<Writes>>();
}

const storage::StoreModule& audit_module_that_loses_alarms() {
  return with_audit<LosingAudit<Raises>>();
}

const storage::StoreModule& audit_module_that_stores_other_words() {
  return with_audit<ForgingAudit>();
}

const storage::StoreModule& platform_module_that_damages_keys() {
  return planted_in<platform::KeyStore, DamagingKeys>(storage::platform_module());
}

}  // namespace ecp_test
