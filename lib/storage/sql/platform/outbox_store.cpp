// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/reasons.hpp>
#include <ecp/platform/outbox.hpp>
#include <ecp/storage/reasons.hpp>

#include "storage/sql/platform/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::platform_stores {
namespace {

using platform::ClaimedItem;
using platform::OutboxId;
using platform::OutboxItem;

Result<ClaimedItem> read_item(const sql::Statement& row) {
  ClaimedItem claimed;
  ECP_TRY(claimed.item.id, sql::id_at<OutboxId>(row, 0));
  claimed.item.kind = sql::text_at(row, 1);
  ECP_TRY(claimed.item.scope.organization, sql::id_at<access::OrganizationId>(row, 2));
  ECP_TRY(claimed.item.scope.project, sql::id_at<access::ProjectId>(row, 3));
  claimed.item.payload_json = sql::text_at(row, 4);
  claimed.item.due = sql::time_at(row, 5);
  claimed.item.attempts = static_cast<int>(row.integer(6));
  claimed.item.error = sql::text_at(row, 7);
  claimed.fence = row.integer(8);
  return claimed;
}

Error lost(OutboxId id) { return Error(reasons::lease_lost, {{"name", id.to_string()}}); }

class SqlOutboxStore final : public platform::OutboxStore {
 public:
  explicit SqlOutboxStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(const OutboxItem& item) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO platform_outbox (id, kind, organization, project, payload,"
                            " due, attempts, error, holder, lease_until, fence)"
                            " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, '', 0, 0)"
                            " ON CONFLICT DO NOTHING",
                            item.id.to_string(), item.kind, sql::text_of(item.scope.organization),
                            sql::text_of(item.scope.project), item.payload_json, item.due,
                            item.attempts, item.error));
    if (changed == 0) {
      return Error(ecp::reasons::name_taken, {{"noun", "outbox item"}, {"field", "id"}});
    }
    return {};
  }

  Result<std::vector<ClaimedItem>> claim_due(std::string_view kind, std::string_view holder,
                                             Time now, int limit, Milliseconds lease) override {
    ECP_TRY(auto free, sql::all_rows<ClaimedItem>(
                           connection_.bound("SELECT id, kind, organization, project, payload, due,"
                                             " attempts, error, fence FROM platform_outbox"
                                             " WHERE kind = $1 AND due <= $2 AND lease_until <= $2"
                                             " ORDER BY due, id LIMIT $3",
                                             kind, now, limit),
                           read_item));
    std::vector<ClaimedItem> claimed;
    for (auto& item : free) {
      ECP_TRY(const auto changed,
              connection_.run("UPDATE platform_outbox SET holder = $1, lease_until = $2,"
                              " fence = fence + 1 WHERE id = $3 AND fence = $4",
                              holder, now + lease, item.item.id.to_string(), item.fence));
      if (changed == 0) continue;
      ++item.fence;
      claimed.push_back(std::move(item));
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
            connection_.run("UPDATE platform_outbox SET due = $1, attempts = attempts + 1,"
                            " error = $2, holder = '', lease_until = 0"
                            " WHERE id = $3 AND fence = $4",
                            due, error, id.to_string(), fence));
    if (changed == 0) return lost(id);
    return {};
  }

  Result<std::optional<Time>> next_due(std::string_view kind) override {
    ECP_TRY(auto next, sql::first_row<std::optional<Time>>(
                           connection_.bound("SELECT MIN(CASE WHEN lease_until > due"
                                             " THEN lease_until ELSE due END)"
                                             " FROM platform_outbox WHERE kind = $1",
                                             kind),
                           [](const sql::Statement& row) -> Result<std::optional<Time>> {
                             return sql::optional_time_at(row, 0);
                           }));
    return next.value_or(std::nullopt);
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
