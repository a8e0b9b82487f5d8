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
     "CREATE TABLE platform_outbox (id TEXT NOT NULL PRIMARY KEY, kind TEXT NOT NULL,"
     " organization TEXT NOT NULL, project TEXT NOT NULL, payload TEXT NOT NULL,"
     " due_at BIGINT NOT NULL, attempts BIGINT NOT NULL, error TEXT NOT NULL,"
     " holder TEXT NOT NULL, leased_until BIGINT NOT NULL, fence BIGINT NOT NULL);"
     "CREATE INDEX platform_outbox_due ON platform_outbox (kind, due_at, id);"
     "CREATE TABLE platform_keys (name TEXT NOT NULL PRIMARY KEY, sealed BYTEA NOT NULL,"
     " created_at BIGINT NOT NULL);"
     "CREATE TABLE platform_keyed_requests (principal TEXT NOT NULL, request_key TEXT NOT NULL,"
     " request_hash TEXT NOT NULL, answer BYTEA NOT NULL, created_at BIGINT NOT NULL,"
     " PRIMARY KEY (principal, request_key));"
     "CREATE INDEX platform_keyed_requests_age ON platform_keyed_requests (created_at)"},
};

constexpr StoreFactory factories[] = {
    {platform::OutboxStore::store_name, platform_stores::make_outbox},
    {platform::KeyStore::store_name, platform_stores::make_keys},
    {platform::KeyedRequestStore::store_name, platform_stores::make_keyed_requests},
};

}  // namespace

const StoreModule& platform_module() {
  static constexpr StoreModule module{"platform", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
