// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/lease.hpp>
#include <ecp/storage/store.hpp>

#include "storage/migrations.hpp"
#include "storage/sql_store.hpp"

namespace ecp::inline v0::storage {

namespace sql {
Statement::~Statement() = default;
Connection::~Connection() = default;
Driver::~Driver() = default;
}  // namespace sql

Store::~Store() = default;

Result<std::unique_ptr<Store>> open_store(std::unique_ptr<sql::Driver> driver,
                                          std::span<const StoreModule* const> modules,
                                          const Env& env) {
  std::vector<const StoreModule*> all{&storage_module()};
  for (const auto* module : modules) {
    if (module != all.front()) all.push_back(module);
  }
  ECP_TRY(auto connection, driver->connect());
  ECP_TRY_VOID(migrate(*connection, all, env.clock.now()));
  return std::make_unique<SqlStore>(std::move(driver), std::move(connection), all, env);
}

}  // namespace ecp::inline v0::storage
