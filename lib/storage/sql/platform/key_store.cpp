// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/keys.hpp>

#include "storage/sql/platform/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::platform_stores {
namespace {

class SqlKeyStore final : public platform::KeyStore {
 public:
  explicit SqlKeyStore(sql::Connection& connection) : connection_(connection) {}

  Result<std::optional<Bytes>> find(std::string_view name) override {
    return sql::first_row<Bytes>(
        connection_.bound("SELECT sealed FROM platform_keys WHERE name = $1", name),
        [](const sql::Statement& row) -> Result<Bytes> { return Bytes(row.blob(0)); });
  }

  Result<bool> insert_if_absent(std::string_view name, BytesView sealed, Time now) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO platform_keys (name, sealed, created_at)"
                            " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                            name, sql::Blob{sealed}, now));
    return changed == 1;
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_keys(sql::Connection& connection) {
  return erase<platform::KeyStore>(new SqlKeyStore(connection));
}

}  // namespace ecp::inline v0::storage::platform_stores
