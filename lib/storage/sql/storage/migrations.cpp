// SPDX-License-Identifier: Apache-2.0
#include "storage/migrations.hpp"

#include <cassert>
#include <map>
#include <string>

#include <ecp/core/bytes.hpp>
#include <ecp/storage/reasons.hpp>

namespace ecp::inline v0::storage {
namespace {

constexpr std::string_view create_table =
    "CREATE TABLE IF NOT EXISTS ecp_migrations ("
    " module TEXT NOT NULL, number BIGINT NOT NULL, sha256 TEXT NOT NULL,"
    " applied_at BIGINT NOT NULL, PRIMARY KEY (module, number))";

/// Number to hash, of what the database has of one module.
using Applied = std::map<std::int64_t, std::string>;

Result<Applied> load_applied(sql::Connection& connection, std::string_view module) {
  ECP_TRY(auto* const rows,
          connection.bound("SELECT number, sha256 FROM ecp_migrations WHERE module = $1", module));
  Applied applied;
  while (true) {
    ECP_TRY(const bool more, rows->step());
    if (!more) return applied;
    applied.emplace(rows->integer(0), std::string(rows->text(1)));
  }
}

Result<void> compare(const StoreModule& module, const Applied& applied) {
  const auto known = static_cast<std::int64_t>(module.migrations.size());
  if (!applied.empty() && applied.rbegin()->first > known) {
    return Error(reasons::schema_newer, {{"found", std::to_string(applied.rbegin()->first)},
                                         {"module", std::string(module.name)},
                                         {"known", std::to_string(known)}});
  }
  for (const auto& [number, hash] : applied) {
    const auto& migration = module.migrations[static_cast<std::size_t>(number - 1)];
    if (hash != to_hex(sha256(migration.sql))) {
      return Error(reasons::migration_changed,
                   {{"number", std::to_string(number)}, {"module", std::string(module.name)}});
    }
  }
  return {};
}

Result<void> migrate_module(sql::Connection& connection, const StoreModule& module, Time now) {
  ECP_TRY(const auto applied, load_applied(connection, module.name));
  ECP_TRY_VOID(compare(module, applied));
  [[maybe_unused]] int number = 0;
  for (const auto& migration : module.migrations) {
    assert(migration.number == ++number && "migrations are numbered from 1 without holes");
    if (applied.contains(migration.number)) continue;
    auto ran = connection.execute(migration.sql);
    if (!ran) {
      return std::move(ran).error().within("while running migration " +
                                           std::to_string(migration.number) + " of " +
                                           std::string(module.name));
    }
    ECP_TRY_VOID(
        connection.run("INSERT INTO ecp_migrations (module, number, sha256, applied_at)"
                       " VALUES ($1, $2, $3, $4)",
                       module.name, migration.number, to_hex(sha256(migration.sql)), now));
  }
  return {};
}

Result<void> migrate_all(sql::Connection& connection, std::span<const StoreModule* const> modules,
                         Time now) {
  ECP_TRY_VOID(connection.begin(true));
  auto ran = connection.execute(create_table);
  for (const auto* module : modules) {
    if (ran) ran = migrate_module(connection, *module, now);
  }
  if (ran) ran = connection.commit();
  if (!ran) connection.rollback();
  return ran;
}

}  // namespace

Result<void> migrate(sql::Connection& connection, std::span<const StoreModule* const> modules,
                     Time now) {
  ECP_TRY_VOID(connection.claim_schema());
  constexpr int most_attempts = 5;
  for (int attempt = 1;; ++attempt) {
    auto ran = migrate_all(connection, modules, now);
    // A replica that is already at work may touch the same rows once or twice.
    const bool again = !ran && ran.error().is(reasons::serialization) && attempt < most_attempts;
    if (again) continue;
    connection.release_schema();
    return ran;
  }
}

}  // namespace ecp::inline v0::storage
