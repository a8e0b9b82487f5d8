// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/sql/tenancy.hpp>

#include <ecp/tenancy/stores.hpp>

#include "storage/sql/tenancy/stores.hpp"

namespace ecp::inline v0::storage {
namespace {

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE tenancy_organizations (id TEXT NOT NULL PRIMARY KEY, revision BIGINT NOT NULL,"
     " created_at BIGINT NOT NULL, name TEXT NOT NULL, name_key TEXT NOT NULL UNIQUE,"
     " description TEXT NOT NULL);"
     "CREATE TABLE tenancy_projects (id TEXT NOT NULL PRIMARY KEY,"
     " organization TEXT NOT NULL REFERENCES tenancy_organizations (id),"
     " revision BIGINT NOT NULL, created_at BIGINT NOT NULL, name TEXT NOT NULL,"
     " name_key TEXT NOT NULL, description TEXT NOT NULL, UNIQUE (organization, name_key))"},
};

constexpr StoreFactory factories[] = {
    {tenancy::OrganizationStore::store_name, tenancy_stores::make_organizations},
    {tenancy::ProjectStore::store_name, tenancy_stores::make_projects},
};

}  // namespace

const StoreModule& tenancy_module() {
  static constexpr StoreModule module{"tenancy", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
