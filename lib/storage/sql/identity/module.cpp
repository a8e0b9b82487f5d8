// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/sql/identity.hpp>

#include <ecp/identity/stores.hpp>

#include "storage/sql/identity/stores.hpp"

namespace ecp::inline v0::storage {
namespace {

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE identity_users (id TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL,"
     " created_at BIGINT NOT NULL, email TEXT NOT NULL, email_key TEXT NOT NULL UNIQUE,"
     " name TEXT NOT NULL, enabled BIGINT NOT NULL, last_login_at BIGINT,"
     " password_hash TEXT NOT NULL);"
     "CREATE TABLE identity_sessions (id TEXT NOT NULL PRIMARY KEY,"
     " user_id TEXT NOT NULL REFERENCES identity_users (id), source TEXT NOT NULL,"
     " access_hash TEXT NOT NULL UNIQUE, access_expires_at BIGINT NOT NULL,"
     " family_hash TEXT NOT NULL, refresh_hash TEXT NOT NULL, created_at BIGINT NOT NULL,"
     " refreshed_at BIGINT NOT NULL);"
     "CREATE INDEX identity_sessions_user ON identity_sessions (user_id);"
     "CREATE TABLE identity_one_time (purpose TEXT NOT NULL, hash TEXT NOT NULL,"
     " subject TEXT NOT NULL, expires_at BIGINT NOT NULL, PRIMARY KEY (purpose, hash));"
     "CREATE TABLE identity_attempts (subject TEXT NOT NULL PRIMARY KEY,"
     " in_window BIGINT NOT NULL, consecutive BIGINT NOT NULL, window_from BIGINT NOT NULL,"
     " blocked_until BIGINT NOT NULL, last_at BIGINT NOT NULL)"},
    {2,
     "ALTER TABLE identity_sessions ADD COLUMN standing BIGINT NOT NULL DEFAULT 0;"
     "CREATE UNIQUE INDEX identity_sessions_family ON identity_sessions (family_hash)"},
};

constexpr StoreFactory factories[] = {
    {identity::UserStore::store_name, identity_stores::make_users},
    {identity::SessionStore::store_name, identity_stores::make_sessions},
    {identity::OneTimeStore::store_name, identity_stores::make_one_time},
    {identity::AttemptStore::store_name, identity_stores::make_attempts},
};

}  // namespace

const StoreModule& identity_module() {
  static constexpr StoreModule module{"identity", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
