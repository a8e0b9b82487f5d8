// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/sql/alarm.hpp>

#include <ecp/alarm/alarm_rule_store.hpp>
#include <ecp/alarm/alarm_store.hpp>
#include <ecp/alarm/webhook_store.hpp>

#include "storage/sql/alarm/stores.hpp"

namespace ecp::inline v0::alarm {

namespace {

constexpr storage::Migration migrations[] = {
    {1,
     "CREATE TABLE alarm_rules (id TEXT NOT NULL PRIMARY KEY, organization TEXT NOT NULL,"
     " project TEXT NOT NULL, name TEXT NOT NULL, service TEXT NOT NULL, tag TEXT NOT NULL,"
     " above BIGINT NOT NULL, threshold DOUBLE PRECISION NOT NULL,"
     " hysteresis DOUBLE PRECISION NOT NULL, hold_ms BIGINT NOT NULL, severity TEXT NOT NULL,"
     " enabled BIGINT NOT NULL, revision BIGINT NOT NULL, condition_revision BIGINT NOT NULL,"
     " condition_at BIGINT NOT NULL, created_at BIGINT NOT NULL, UNIQUE (project, name));"
     // `service` is empty for a rule on every service of the project.
     "CREATE INDEX alarm_rules_service ON alarm_rules (service, project);"
     "CREATE TABLE alarm_settings (project TEXT NOT NULL PRIMARY KEY,"
     " node_offline BIGINT NOT NULL, service_failed BIGINT NOT NULL, revision BIGINT NOT NULL);"
     // `active_key` is the key while the alarm is active, then null: one active alarm per key.
     "CREATE TABLE alarms (id TEXT NOT NULL PRIMARY KEY, organization TEXT NOT NULL,"
     " project TEXT NOT NULL, source TEXT NOT NULL, alarm_key TEXT NOT NULL,"
     " active_key TEXT UNIQUE, name TEXT NOT NULL, severity TEXT NOT NULL, rule TEXT NOT NULL,"
     " node TEXT NOT NULL, service TEXT NOT NULL, tag TEXT NOT NULL, subject TEXT NOT NULL,"
     " message TEXT NOT NULL, value DOUBLE PRECISION, late BIGINT NOT NULL,"
     " raised_at BIGINT NOT NULL, cleared_at BIGINT, clear_message TEXT NOT NULL,"
     " raised_number BIGINT NOT NULL, cleared_number BIGINT NOT NULL, revision BIGINT NOT NULL);"
     "CREATE INDEX alarms_project ON alarms (project, raised_at);"
     "CREATE INDEX alarms_active_rule ON alarms (rule) WHERE active_key IS NOT NULL;"
     "CREATE INDEX alarms_active_service ON alarms (service) WHERE active_key IS NOT NULL;"
     "CREATE INDEX alarms_active_node ON alarms (node) WHERE active_key IS NOT NULL;"
     "CREATE TABLE alarm_webhooks (id TEXT NOT NULL PRIMARY KEY, organization TEXT NOT NULL,"
     " project TEXT NOT NULL, name TEXT NOT NULL, url TEXT NOT NULL,"
     " sealed_secret BYTEA NOT NULL, revision BIGINT NOT NULL, created_at BIGINT NOT NULL,"
     " delivered_at BIGINT, last_error TEXT NOT NULL, UNIQUE (project, name))"},
    {2, "CREATE INDEX alarms_active_source ON alarms (source) WHERE active_key IS NOT NULL"},
};

constexpr storage::StoreFactory factories[] = {
    {AlarmRuleStore::store_name, &sql_stores::make_rules},
    {AlarmSettingsStore::store_name, &sql_stores::make_settings},
    {AlarmStore::store_name, &sql_stores::make_alarms},
    {WebhookStore::store_name, &sql_stores::make_webhooks},
};

}  // namespace
}  // namespace ecp::inline v0::alarm

namespace ecp::inline v0::storage {

const StoreModule& alarm_module() {
  static constexpr StoreModule module{"alarm", alarm::migrations, alarm::factories};
  return module;
}

}  // namespace ecp::inline v0::storage
