// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/sql/access.hpp>

#include <ecp/access/grant.hpp>

#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage {
namespace {

using access::PrincipalStore;

std::string key_of(const IdBytes& principal) { return id_to_text("principal", principal); }

class SqlPrincipalStore final : public PrincipalStore {
 public:
  explicit SqlPrincipalStore(sql::Connection& connection) : connection_(connection) {}

  Result<Revision> revision(const IdBytes& principal) override {
    ECP_TRY(const auto found,
            sql::first_row<std::int64_t>(
                connection_.bound("SELECT revision FROM access_principals WHERE id = $1",
                                  key_of(principal)),
                [](const sql::Statement& row) -> Result<std::int64_t> { return row.integer(0); }));
    return found ? Revision{*found} : Revision::first;
  }

  Result<void> touch(const IdBytes& principal, Time now) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO access_principals (id, revision, changed_at) VALUES ($1, 2, $2)"
        " ON CONFLICT (id) DO UPDATE SET revision = access_principals.revision + 1,"
        " changed_at = excluded.changed_at",
        key_of(principal), now));
    return {};
  }

 private:
  sql::Connection& connection_;
};

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE access_principals (id TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL,"
     " changed_at BIGINT NOT NULL)"},
};

constexpr StoreFactory factories[] = {
    {PrincipalStore::store_name,
     [](sql::Connection& connection) {
       return erase<PrincipalStore>(new SqlPrincipalStore(connection));
     }},
};

}  // namespace

const StoreModule& access_module() {
  static constexpr StoreModule module{"access", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
