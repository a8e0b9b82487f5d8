// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/outbox.hpp>
#include <ecp/storage/reasons.hpp>

#include "storage/sql/platform/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::platform_stores {
namespace {

using platform::ClaimedItem;
using platform::OutboxId;
using platform::OutboxItem;

Result<ClaimedItem> read_claimed(const sql::Statement& row) {
  ClaimedItem claimed;
  OutboxItem& item = claimed.item;
  ECP_TRY(item.id, sql::id_at<OutboxId>(row, 0));
  item.kind = row.text(1);
  ECP_TRY(item.scope.organization, sql::id_at<access::OrganizationId>(row, 2));
  ECP_TRY(item.scope.project, sql::id_at<access::ProjectId>(row, 3));
  item.payload_json = row.text(4);
  item.due = sql::time_at(row, 5);
  item.attempts = static_cast<int>(row.integer(6));
  item.error = row.text(7);
  claimed.fence = row.integer(8);
  return claimed;
}

Error lost(OutboxId id) { return Error(reasons::lease_lost, {{"name", id.to_string()}}); }

class SqlOutboxStore final : public platform::OutboxStore {
 public:
  explicit SqlOutboxStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(const OutboxItem& item) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO platform_outbox (id, kind, organization, project,"
                            " payload, due_at, attempts, error, holder, leased_until, fence)"
                            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, 0)"
                            " ON CONFLICT DO NOTHING",
                            item.id.to_string(), item.kind, sql::text_of(item.scope.organization),
                            sql::text_of(item.scope.project), item.payload_json, item.due,
                            item.attempts, item.error));
    if (changed == 0) return reasons::constraint;
    return {};
  }

  Result<std::vector<ClaimedItem>> claim_due(std::string_view kind, std::string_view holder,
                                             Time now, int limit, Milliseconds lease) override {
    ECP_TRY(auto due,
            sql::all_rows<ClaimedItem>(
                connection_.bound("SELECT id, kind, organization, project, payload, due_at,"
                                  " attempts, error, fence FROM platform_outbox"
                                  " WHERE kind = $1 AND due_at <= $2 AND leased_until <= $2"
                                  " ORDER BY due_at, id LIMIT $3",
                                  kind, now, limit),
                read_claimed));
    std::vector<ClaimedItem> claimed;
    for (auto& one : due) {
      ECP_TRY(const auto changed,
              connection_.run("UPDATE platform_outbox SET holder = $1, leased_until = $2,"
                              " fence = fence + 1 WHERE id = $3 AND fence = $4"
                              " AND leased_until <= $5",
                              holder, now + lease, one.item.id.to_string(), one.fence, now));
      if (changed == 0) continue;
      ++one.fence;
      claimed.push_back(std::move(one));
    }
    return claimed;
  }

  Result<void> complete(OutboxId id, std::int64_t fence) override {
    ECP_TRY(const auto changed,
            connection_.run("DELETE FROM platform_outbox WHERE id = $1 AND fence = $2",
                            id.to_string(), fence));
    if (changed == 0) return lost(id);
    return {};
  }

  Result<void> retry(OutboxId id, std::int64_t fence, Time due, std::string_view error) override {
    ECP_TRY(const auto changed,
            connection_.run("UPDATE platform_outbox SET due_at = $1, error = $2, holder = '',"
                            " leased_until = 0, attempts = attempts + 1"
                            " WHERE id = $3 AND fence = $4",
                            due, error, id.to_string(), fence));
    if (changed == 0) return lost(id);
    return {};
  }

  Result<std::optional<Time>> next_due(std::string_view kind) override {
    ECP_TRY(const auto found,
            sql::first_row<std::int64_t>(
                connection_.bound("SELECT CASE WHEN leased_until > due_at THEN leased_until"
                                  " ELSE due_at END AS at_time FROM platform_outbox"
                                  " WHERE kind = $1 ORDER BY at_time LIMIT 1",
                                  kind),
                [](const sql::Statement& row) -> Result<std::int64_t> { return row.integer(0); }));
    if (!found) return std::nullopt;
    return from_ms(*found);
  }

  Result<std::int64_t> count(std::string_view kind) override {
    return sql::number_of(
        connection_.bound("SELECT COUNT(*) FROM platform_outbox WHERE kind = $1", kind));
  }

  Result<void> remove_scope(const access::Scope& scope) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM platform_outbox WHERE organization = $1"
                        " AND ($2 = '' OR project = $2)",
                        sql::text_of(scope.organization), sql::text_of(scope.project)));
    return {};
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_outbox(sql::Connection& connection) {
  return erase<platform::OutboxStore>(new SqlOutboxStore(connection));
}

}  // namespace ecp::inline v0::storage::platform_stores
