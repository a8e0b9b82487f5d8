// SPDX-License-Identifier: Apache-2.0
#include <ecp/storage/lease.hpp>

#include <ecp/storage/reasons.hpp>

namespace ecp::inline v0::storage {

LeaseStore::~LeaseStore() = default;

namespace {

class SqlLeaseStore final : public LeaseStore {
 public:
  explicit SqlLeaseStore(sql::Connection& connection) : connection_(connection) {}

  Result<std::optional<Fence>> acquire(std::string_view name, std::string_view holder,
                                       Milliseconds duration) override {
    ECP_TRY(const auto now, connection_.database_time());
    ECP_TRY(auto changed,
            connection_.run("UPDATE ecp_leases SET"
                            " fence = CASE WHEN holder = $2 THEN fence ELSE fence + 1 END,"
                            " holder = $2, expires_at = $3"
                            " WHERE name = $1 AND (holder = $2 OR expires_at <= $4)",
                            name, holder, now + duration, now));
    if (changed == 0) {
      ECP_TRY(changed, connection_.run("INSERT INTO ecp_leases (name, holder, fence, expires_at)"
                                       " VALUES ($1, $2, 1, $3) ON CONFLICT DO NOTHING",
                                       name, holder, now + duration));
    }
    if (changed == 0) return std::nullopt;
    return fence(name);
  }

  Result<void> check(std::string_view name, Fence held) override {
    ECP_TRY(const auto current, fence(name));
    if (current != held) return Error(reasons::lease_lost, {{"name", std::string(name)}});
    return {};
  }

  Result<void> release(std::string_view name, std::string_view holder) override {
    ECP_TRY_VOID(
        connection_.run("UPDATE ecp_leases SET holder = '', expires_at = 0"
                        " WHERE name = $1 AND holder = $2",
                        name, holder));
    return {};
  }

 private:
  /// None when there never was such a lease.
  Result<std::optional<Fence>> fence(std::string_view name) {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT fence FROM ecp_leases WHERE name = $1", name));
    ECP_TRY(const bool found, row->step());
    if (!found) return std::nullopt;
    return Fence{row->integer(0)};
  }

  sql::Connection& connection_;
};

constexpr Migration migrations[] = {
    {1,
     "CREATE TABLE ecp_leases (name TEXT NOT NULL PRIMARY KEY, holder TEXT NOT NULL,"
     " fence BIGINT NOT NULL, expires_at BIGINT NOT NULL)"},
};

constexpr StoreFactory factories[] = {
    {LeaseStore::store_name,
     [](sql::Connection& connection) { return erase<LeaseStore>(new SqlLeaseStore(connection)); }},
};

}  // namespace

const StoreModule& storage_module() {
  static constexpr StoreModule module{"storage", migrations, factories};
  return module;
}

}  // namespace ecp::inline v0::storage
