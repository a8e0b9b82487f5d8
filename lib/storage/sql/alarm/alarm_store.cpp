// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_store.hpp>

#include "storage/sql/alarm/stores.hpp"

namespace ecp::inline v0::alarm {

namespace {

using storage::sql::Connection;
using storage::sql::Statement;

constexpr std::string_view noun = "alarm";

constexpr sql_stores::Sql select_alarms(
    "SELECT id, organization, project, source, alarm_key, active_key, name, severity, rule, node,"
    " service, tag, subject, message, value, late, raised_at, cleared_at, clear_message,"
    " raised_number, cleared_number, revision FROM alarms");
constexpr auto by_id = select_alarms + " WHERE id = $1 AND project = $2";
constexpr auto by_active_key = select_alarms + " WHERE active_key = $1";
constexpr auto active_of_rule =
    select_alarms + " WHERE rule = $1 AND active_key IS NOT NULL ORDER BY id";
constexpr auto active_of_service =
    select_alarms + " WHERE service = $1 AND active_key IS NOT NULL ORDER BY id";
constexpr auto active_of_node =
    select_alarms + " WHERE node = $1 AND active_key IS NOT NULL ORDER BY id";
constexpr auto active_of_source = select_alarms +
                                  " WHERE project = $1 AND source = $2 AND active_key IS NOT NULL"
                                  " ORDER BY id";
constexpr auto active_everywhere =
    select_alarms + " WHERE source = $1 AND active_key IS NOT NULL ORDER BY id";
constexpr auto by_project = select_alarms +
                            " WHERE project = $1"
                            " AND (CAST($2 AS BIGINT) IS NULL OR"
                            " CASE WHEN active_key IS NULL THEN 0 ELSE 1 END = CAST($2 AS BIGINT))"
                            " AND (CAST($3 AS TEXT) IS NULL OR severity = CAST($3 AS TEXT))"
                            " ORDER BY raised_at DESC, id DESC LIMIT $4 OFFSET $5";

Result<void> read_ids(const Statement& row, Alarm& alarm) {
  ECP_TRY(alarm.id, sql_stores::id_at<AlarmId>(row, 0));
  ECP_TRY(alarm.organization, sql_stores::id_at<access::OrganizationId>(row, 1));
  ECP_TRY(alarm.project, sql_stores::id_at<access::ProjectId>(row, 2));
  ECP_TRY(alarm.rule, sql_stores::id_at<AlarmRuleId>(row, 8));
  ECP_TRY(alarm.node, sql_stores::id_at<fleet::EdgeNodeId>(row, 9));
  ECP_TRY(alarm.service, sql_stores::id_at<fleet::EdgeServiceId>(row, 10));
  return {};
}

Result<Alarm> read_alarm(const Statement& row) {
  Alarm alarm;
  ECP_TRY_VOID(read_ids(row, alarm));
  alarm.source = row.text(3);
  alarm.key = row.text(4);
  alarm.state = row.is_null(5) ? AlarmState::cleared : AlarmState::active;
  alarm.name = row.text(6);
  ECP_TRY(alarm.severity, sql_stores::stored(parse_severity(row.text(7)), noun));
  alarm.tag = row.text(11);
  alarm.subject = row.text(12);
  alarm.message = row.text(13);
  if (!row.is_null(14)) alarm.value = row.real(14);
  alarm.late = row.integer(15) == 1;
  alarm.raised_at = from_ms(row.integer(16));
  if (!row.is_null(17)) alarm.cleared_at = from_ms(row.integer(17));
  alarm.clear_message = row.text(18);
  alarm.raised_number = row.integer(19);
  alarm.cleared_number = row.integer(20);
  alarm.revision = Revision{row.integer(21)};
  return alarm;
}

class SqlAlarmStore final : public AlarmStore {
 public:
  explicit SqlAlarmStore(Connection& connection) : connection_(connection) {}

  Result<bool> raise(const Alarm& alarm) override {
    ECP_TRY(const auto changed,
            connection_.run(
                "INSERT INTO alarms (id, organization, project, source, alarm_key, active_key,"
                " name, severity, rule, node, service, tag, subject, message, value, late,"
                " raised_at, clear_message, raised_number, cleared_number, revision)"
                " VALUES ($1, $2, $3, $4, $5, $5, $6, $7, $8, $9, $10, $11, $12, $13,"
                " CAST($14 AS DOUBLE PRECISION), $15, $16, '', $17, 0, 1) ON CONFLICT DO NOTHING",
                alarm.id.to_string(), alarm.organization.to_string(), alarm.project.to_string(),
                alarm.source, alarm.key, alarm.name, to_string(alarm.severity),
                sql_stores::text_of(alarm.rule), sql_stores::text_of(alarm.node),
                sql_stores::text_of(alarm.service), alarm.tag, alarm.subject, alarm.message,
                alarm.value, alarm.late, alarm.raised_at, alarm.raised_number));
    return changed == 1;
  }

  Result<bool> clear(const Alarm& alarm) override {
    ECP_TRY(const auto changed,
            connection_.run("UPDATE alarms SET active_key = NULL, cleared_at ="
                            " CAST($2 AS BIGINT), clear_message = $3, cleared_number = $4,"
                            " revision = revision + 1 WHERE id = $1 AND active_key IS NOT NULL",
                            alarm.id.to_string(), alarm.cleared_at, alarm.clear_message,
                            alarm.cleared_number));
    return changed == 1;
  }

  Result<Alarm> get(access::ProjectId project, AlarmId id) override {
    ECP_TRY(auto* const row, connection_.bound(by_id, id.to_string(), project.to_string()));
    ECP_TRY(auto alarm, sql_stores::first_row<Alarm>(row, read_alarm));
    if (!alarm) return Error(reasons::not_found, {{"noun", std::string(noun)}});
    return std::move(*alarm);
  }

  Result<std::optional<Alarm>> find_active(std::string_view key) override {
    ECP_TRY(auto* const row, connection_.bound(by_active_key, key));
    return sql_stores::first_row<Alarm>(row, read_alarm);
  }

  Result<std::vector<Alarm>> list_active(const AlarmOwner& owner) override {
    if (!owner.rule.is_nil()) return list_by(active_of_rule, owner.rule.to_string());
    if (!owner.service.is_nil()) return list_by(active_of_service, owner.service.to_string());
    return list_by(active_of_node, owner.node.to_string());
  }

  Result<std::vector<Alarm>> list_active(access::ProjectId project,
                                         std::string_view source) override {
    ECP_TRY(auto* const rows, connection_.bound(active_of_source, project.to_string(), source));
    return sql_stores::all_rows<Alarm>(rows, read_alarm);
  }

  Result<std::vector<Alarm>> list_active_everywhere(std::string_view source) override {
    ECP_TRY(auto* const rows, connection_.bound(active_everywhere, source));
    return sql_stores::all_rows<Alarm>(rows, read_alarm);
  }

  Result<Page<Alarm>> list(const AlarmQuery& query, PageRequest page) override {
    std::optional<bool> active;
    if (query.state) active = *query.state == AlarmState::active;
    std::optional<std::string_view> severity;
    if (query.severity) severity = to_string(*query.severity);
    ECP_TRY(auto* const rows, connection_.bound(by_project, query.project.to_string(), active,
                                                severity, page.limit, page.offset));
    Page<Alarm> found;
    ECP_TRY(found.items, sql_stores::all_rows<Alarm>(rows, read_alarm));
    ECP_TRY(auto* const count,
            connection_.bound("SELECT COUNT(*) FROM alarms WHERE project = $1"
                              " AND (CAST($2 AS BIGINT) IS NULL OR CASE WHEN active_key IS NULL"
                              " THEN 0 ELSE 1 END = CAST($2 AS BIGINT))"
                              " AND (CAST($3 AS TEXT) IS NULL OR severity = CAST($3 AS TEXT))",
                              query.project.to_string(), active, severity));
    ECP_TRY(found.total, sql_stores::number_of(count));
    return found;
  }

  Result<std::int64_t> count_active(access::ProjectId project) override {
    ECP_TRY(auto* const row, connection_.bound("SELECT COUNT(*) FROM alarms WHERE project = $1"
                                               " AND active_key IS NOT NULL",
                                               project.to_string()));
    return sql_stores::number_of(row);
  }

  Result<void> remove_of_project(access::ProjectId project) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM alarms WHERE project = $1", project.to_string()));
    return {};
  }

 private:
  Result<std::vector<Alarm>> list_by(std::string_view text, const std::string& id) {
    ECP_TRY(auto* const rows, connection_.bound(text, id));
    return sql_stores::all_rows<Alarm>(rows, read_alarm);
  }

  Connection& connection_;
};

}  // namespace

namespace sql_stores {

storage::ErasedStore make_alarms(Connection& connection) {
  return storage::erase<AlarmStore>(new SqlAlarmStore(connection));
}

}  // namespace sql_stores

}  // namespace ecp::inline v0::alarm
