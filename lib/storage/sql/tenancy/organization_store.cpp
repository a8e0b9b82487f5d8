// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/reasons.hpp>
#include <ecp/tenancy/stores.hpp>

#include "storage/sql/rows.hpp"
#include "storage/sql/tenancy/stores.hpp"

namespace ecp::inline v0::storage::tenancy_stores {
namespace {

using access::OrganizationId;
using tenancy::Organization;

Result<Organization> read_organization(const sql::Statement& row) {
  Organization organization;
  ECP_TRY(organization.id, sql::id_at<OrganizationId>(row, 0));
  organization.revision = Revision{row.integer(1)};
  organization.created_at = sql::time_at(row, 2);
  organization.name = row.text(3);
  organization.description = row.text(4);
  return organization;
}

Error unknown() { return Error(ecp::reasons::not_found, {{"noun", "organization"}}); }
Error stale() { return Error(ecp::reasons::stale_revision, {{"noun", "organization"}}); }
Error taken() {
  return Error(ecp::reasons::name_taken, {{"noun", "organization"}, {"field", "name"}});
}

class SqlOrganizationStore final : public tenancy::OrganizationStore {
 public:
  explicit SqlOrganizationStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(const Organization& organization) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO tenancy_organizations (id, revision, created_at, name,"
                            " name_key, description) VALUES ($1, 1, $2, $3, $4, $5)"
                            " ON CONFLICT DO NOTHING",
                            organization.id.to_string(), organization.created_at, organization.name,
                            sql::name_key(organization.name), organization.description));
    if (changed == 0) return taken();
    return {};
  }

  Result<Organization> get(OrganizationId id) override {
    ECP_TRY(auto found, sql::first_row<Organization>(
                            connection_.bound("SELECT id, revision, created_at, name, description"
                                              " FROM tenancy_organizations WHERE id = $1",
                                              id.to_string()),
                            read_organization));
    if (!found) return unknown();
    return std::move(*found);
  }

  Result<Page<Organization>> list(PageRequest page) override {
    Page<Organization> found;
    ECP_TRY(found.items, sql::all_rows<Organization>(
                             connection_.bound("SELECT id, revision, created_at, name, description"
                                               " FROM tenancy_organizations ORDER BY name_key"
                                               " LIMIT $1 OFFSET $2",
                                               page.limit, page.offset),
                             read_organization));
    ECP_TRY(found.total, count());
    return found;
  }

  Result<Revision> update(const Organization& organization) override {
    const std::string id = organization.id.to_string();
    const std::string key = sql::name_key(organization.name);
    ECP_TRY(const auto others,
            sql::number_of(connection_.bound(
                "SELECT COUNT(*) FROM tenancy_organizations WHERE name_key = $1 AND id <> $2", key,
                id)));
    if (others > 0) return taken();
    ECP_TRY(const auto changed,
            connection_.run("UPDATE tenancy_organizations SET revision = revision + 1, name = $1,"
                            " name_key = $2, description = $3 WHERE id = $4 AND revision = $5",
                            organization.name, key, organization.description, id,
                            organization.revision));
    if (changed == 1) return next(organization.revision);
    ECP_TRY_VOID(get(organization.id));
    return stale();
  }

  Result<void> remove(OrganizationId id, Revision revision) override {
    ECP_TRY(const auto changed,
            connection_.run("DELETE FROM tenancy_organizations WHERE id = $1 AND revision = $2",
                            id.to_string(), revision));
    if (changed == 1) return {};
    ECP_TRY_VOID(get(id));
    return stale();
  }

  Result<std::int64_t> count() override {
    return sql::number_of(connection_.bound("SELECT COUNT(*) FROM tenancy_organizations"));
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_organizations(sql::Connection& connection) {
  return erase<tenancy::OrganizationStore>(new SqlOrganizationStore(connection));
}

}  // namespace ecp::inline v0::storage::tenancy_stores
