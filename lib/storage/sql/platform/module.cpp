// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/sql/platform.hpp>

#include <ecp/platform/idempotency.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/platform/outbox.hpp>

#include "storage/sql/platform/stores.hpp"

namespace ecp::inline v0::storage {
namespace {

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE platform_keys (name TEXT NOT NULL PRIMARY KEY, sealed BYTEA NOT NULL,"
     " created_at BIGINT NOT NULL);"
     "CREATE TABLE platform_outbox (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL,"
     " organization TEXT NOT NULL, project TEXT NOT NULL, payload TEXT NOT NULL,"
     " due BIGINT NOT NULL, attempts BIGINT NOT NULL, error TEXT NOT NULL, holder TEXT NOT NULL,"
     " lease_until BIGINT NOT NULL, fence BIGINT NOT NULL);"
     "CREATE INDEX platform_outbox_due ON platform_outbox (kind, due, id);"
     "CREATE INDEX platform_outbox_scope ON platform_outbox (organization, project);"
     "CREATE TABLE platform_idempotency (principal TEXT NOT NULL, request_key TEXT NOT NULL,"
     " request_hash TEXT NOT NULL, created_at BIGINT NOT NULL, answer BYTEA,"
     " PRIMARY KEY (principal, request_key));"
     "CREATE INDEX platform_idempotency_age ON platform_idempotency (created_at)"},
};

constexpr StoreFactory factories[] = {
    {platform::IdempotencyStore::store_name, platform_stores::make_idempotency},
    {platform::KeyStore::store_name, platform_stores::make_keys},
    {platform::OutboxStore::store_name, platform_stores::make_outbox},
};

}  // namespace

const StoreModule& platform_module() {
  static constexpr StoreModule module{"platform", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
