// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/sql/rbac.hpp>

#include <ecp/rbac/membership.hpp>

#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage {
namespace {

using access::OrganizationId;
using access::ProjectId;
using access::Scope;
using access::UserId;
using rbac::Membership;

Result<Membership> read_membership(const sql::Statement& row) {
  Membership membership;
  ECP_TRY(membership.user, sql::id_at<UserId>(row, 0));
  ECP_TRY(membership.scope.organization, sql::id_at<OrganizationId>(row, 1));
  ECP_TRY(membership.scope.project, sql::id_at<ProjectId>(row, 2));
  ECP_TRY(membership.role, rbac::role_from(row.text(3)));
  membership.created_at = sql::time_at(row, 4);
  return membership;
}

class SqlMembershipStore final : public rbac::MembershipStore {
 public:
  explicit SqlMembershipStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> put(const Membership& membership) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO rbac_memberships (user_id, organization, project, role, created_at)"
        " VALUES ($1, $2, $3, $4, $5) ON CONFLICT (user_id, organization, project)"
        " DO UPDATE SET role = excluded.role",
        membership.user.to_string(), sql::text_of(membership.scope.organization),
        sql::text_of(membership.scope.project), rbac::to_string(membership.role),
        membership.created_at));
    return {};
  }

  Result<std::optional<Membership>> find(UserId user, const Scope& scope) override {
    return sql::first_row<Membership>(
        connection_.bound("SELECT user_id, organization, project, role, created_at"
                          " FROM rbac_memberships WHERE user_id = $1 AND organization = $2"
                          " AND project = $3",
                          user.to_string(), sql::text_of(scope.organization),
                          sql::text_of(scope.project)),
        read_membership);
  }

  Result<std::vector<Membership>> of_user(UserId user) override {
    return sql::all_rows<Membership>(
        connection_.bound("SELECT user_id, organization, project, role, created_at"
                          " FROM rbac_memberships WHERE user_id = $1"
                          " ORDER BY organization, project",
                          user.to_string()),
        read_membership);
  }

  Result<Page<Membership>> list(const Scope& scope, PageRequest page) override {
    const std::string organization = sql::text_of(scope.organization);
    const std::string project = sql::text_of(scope.project);
    Page<Membership> found;
    ECP_TRY(found.items,
            sql::all_rows<Membership>(
                connection_.bound("SELECT user_id, organization, project, role, created_at"
                                  " FROM rbac_memberships WHERE organization = $1 AND project = $2"
                                  " ORDER BY created_at, user_id LIMIT $3 OFFSET $4",
                                  organization, project, page.limit, page.offset),
                read_membership));
    ECP_TRY(found.total,
            sql::number_of(connection_.bound(
                "SELECT COUNT(*) FROM rbac_memberships WHERE organization = $1 AND project = $2",
                organization, project)));
    return found;
  }

  Result<void> remove_inside(UserId user, const Scope& scope) override {
    // The platform's rows do not contain those of organizations: "" is a place of its own.
    ECP_TRY_VOID(connection_.run(
        "DELETE FROM rbac_memberships WHERE user_id = $1"
        " AND organization = $2 AND ($3 = '' OR project = $3)",
        user.to_string(), sql::text_of(scope.organization), sql::text_of(scope.project)));
    return {};
  }

  Result<void> remove_scope(const Scope& scope) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM rbac_memberships WHERE organization = $1"
                        " AND ($2 = '' OR project = $2)",
                        sql::text_of(scope.organization), sql::text_of(scope.project)));
    return {};
  }

  Result<void> remove_user(UserId user) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM rbac_memberships WHERE user_id = $1", user.to_string()));
    return {};
  }

 private:
  sql::Connection& connection_;
};

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE rbac_memberships (user_id TEXT NOT NULL, organization TEXT NOT NULL,"
     " project TEXT NOT NULL, role TEXT NOT NULL, created_at BIGINT NOT NULL,"
     " PRIMARY KEY (user_id, organization, project));"
     "CREATE INDEX rbac_memberships_scope ON rbac_memberships (organization, project)"},
};

constexpr StoreFactory factories[] = {
    {rbac::MembershipStore::store_name,
     [](sql::Connection& connection) {
       return erase<rbac::MembershipStore>(new SqlMembershipStore(connection));
     }},
};

}  // namespace

const StoreModule& rbac_module() {
  static constexpr StoreModule module{"rbac", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
