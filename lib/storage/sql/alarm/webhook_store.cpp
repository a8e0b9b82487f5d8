// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/webhook_store.hpp>

#include <ecp/core/limits.hpp>

#include "storage/sql/alarm/stores.hpp"

namespace ecp::inline v0::alarm {

namespace {

using storage::sql::Blob;
using storage::sql::Connection;
using storage::sql::Statement;

constexpr std::string_view noun = "webhook";

constexpr sql_stores::Sql select_webhooks(
    "SELECT id, organization, project, name, url, sealed_secret, revision, created_at,"
    " delivered_at, last_error FROM alarm_webhooks");
constexpr auto by_id = select_webhooks + " WHERE id = $1";
constexpr auto by_project =
    select_webhooks + " WHERE project = $1 ORDER BY name, id LIMIT $2 OFFSET $3";

Result<Webhook> read_webhook(const Statement& row) {
  Webhook webhook;
  ECP_TRY(webhook.id, sql_stores::id_at<WebhookId>(row, 0));
  ECP_TRY(webhook.organization, sql_stores::id_at<access::OrganizationId>(row, 1));
  ECP_TRY(webhook.project, sql_stores::id_at<access::ProjectId>(row, 2));
  webhook.name = row.text(3);
  webhook.url = row.text(4);
  webhook.sealed_secret = row.blob(5);
  webhook.revision = Revision{row.integer(6)};
  webhook.created_at = from_ms(row.integer(7));
  if (!row.is_null(8)) webhook.delivered_at = from_ms(row.integer(8));
  webhook.last_error = row.text(9);
  return webhook;
}

Error name_taken() {
  return Error(reasons::name_taken, {{"noun", std::string(noun)}, {"field", "name"}});
}

class SqlWebhookStore final : public WebhookStore {
 public:
  explicit SqlWebhookStore(Connection& connection) : connection_(connection) {}

  Result<void> insert(const Webhook& webhook) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO alarm_webhooks (id, organization, project, name, url,"
                            " sealed_secret, revision, created_at, last_error)"
                            " VALUES ($1, $2, $3, $4, $5, $6, 1, $7, '') ON CONFLICT DO NOTHING",
                            webhook.id.to_string(), webhook.organization.to_string(),
                            webhook.project.to_string(), webhook.name, webhook.url,
                            Blob{webhook.sealed_secret}, webhook.created_at));
    if (changed == 0) return name_taken();
    return {};
  }

  Result<Webhook> get(access::ProjectId project, WebhookId id) override {
    ECP_TRY(auto webhook, find(id));
    if (!webhook || webhook->project != project) {
      return Error(reasons::not_found, {{"noun", std::string(noun)}});
    }
    return std::move(*webhook);
  }

  Result<std::optional<Webhook>> find(WebhookId id) override {
    ECP_TRY(auto* const row, connection_.bound(by_id, id.to_string()));
    return sql_stores::first_row<Webhook>(row, read_webhook);
  }

  Result<Page<Webhook>> list(access::ProjectId project, PageRequest page) override {
    ECP_TRY(auto* const rows,
            connection_.bound(by_project, project.to_string(), page.limit, page.offset));
    Page<Webhook> found;
    ECP_TRY(found.items, sql_stores::all_rows<Webhook>(rows, read_webhook));
    ECP_TRY(auto* const count,
            connection_.bound("SELECT COUNT(*) FROM alarm_webhooks WHERE project = $1",
                              project.to_string()));
    ECP_TRY(found.total, sql_stores::number_of(count));
    return found;
  }

  Result<std::vector<WebhookId>> list_ids(access::ProjectId project) override {
    ECP_TRY(auto* const rows,
            connection_.bound("SELECT id FROM alarm_webhooks WHERE project = $1 ORDER BY id"
                              " LIMIT $2",
                              project.to_string(),
                              static_cast<std::int64_t>(limits::webhooks_per_project)));
    return sql_stores::all_rows<WebhookId>(
        rows, [](const Statement& row) { return sql_stores::id_at<WebhookId>(row, 0); });
  }

  Result<Revision> update(const Webhook& webhook) override {
    ECP_TRY(const bool taken, is_name_taken(webhook));
    if (taken) return name_taken();
    ECP_TRY(const auto changed,
            connection_.run("UPDATE alarm_webhooks SET name = $4, url = $5, sealed_secret = $6,"
                            " revision = revision + 1"
                            " WHERE id = $1 AND project = $2 AND revision = $3",
                            webhook.id.to_string(), webhook.project.to_string(), webhook.revision,
                            webhook.name, webhook.url, Blob{webhook.sealed_secret}));
    if (changed == 0) {
      ECP_TRY(const auto other, find(webhook.id));
      return sql_stores::missed_update(other && other->project == webhook.project, noun);
    }
    return next(webhook.revision);
  }

  Result<void> remove(access::ProjectId project, WebhookId id) override {
    ECP_TRY(const auto changed,
            connection_.run("DELETE FROM alarm_webhooks WHERE project = $1 AND id = $2",
                            project.to_string(), id.to_string()));
    if (changed == 0) return Error(reasons::not_found, {{"noun", std::string(noun)}});
    return {};
  }

  Result<void> remove_of_project(access::ProjectId project) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM alarm_webhooks WHERE project = $1", project.to_string()));
    return {};
  }

  Result<void> put_outcome(WebhookId id, std::optional<Time> delivered_at,
                           std::string_view error) override {
    ECP_TRY_VOID(connection_.run(
        "UPDATE alarm_webhooks SET"
        " delivered_at = COALESCE(CAST($2 AS BIGINT), delivered_at), last_error = $3 WHERE id = $1",
        id.to_string(), delivered_at, error));
    return {};
  }

 private:
  Result<bool> is_name_taken(const Webhook& webhook) {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT 1 FROM alarm_webhooks WHERE project = $1 AND name = $2"
                              " AND id <> $3",
                              webhook.project.to_string(), webhook.name, webhook.id.to_string()));
    return row->step();
  }

  Connection& connection_;
};

}  // namespace

namespace sql_stores {

storage::ErasedStore make_webhooks(Connection& connection) {
  return storage::erase<WebhookStore>(new SqlWebhookStore(connection));
}

}  // namespace sql_stores

}  // namespace ecp::inline v0::alarm
