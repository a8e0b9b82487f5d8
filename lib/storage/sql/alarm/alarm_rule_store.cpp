// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_rule_store.hpp>

#include "storage/sql/alarm/stores.hpp"

namespace ecp::inline v0::alarm {

namespace {

using storage::sql::Connection;
using storage::sql::Statement;

constexpr std::string_view noun = "alarm rule";

constexpr sql_stores::Sql select_rules(
    "SELECT id, organization, project, name, service, tag, above, threshold, hysteresis, hold_ms,"
    " severity, enabled, revision, condition_revision, condition_at, created_at FROM alarm_rules");
constexpr auto by_id = select_rules + " WHERE id = $1";
constexpr auto by_project = select_rules +
                            " WHERE project = $1 AND"
                            " (CAST($2 AS TEXT) IS NULL OR service = CAST($2 AS TEXT))"
                            " ORDER BY name, id LIMIT $3 OFFSET $4";
constexpr auto enabled_of_service =
    select_rules + " WHERE service = $1 AND enabled = 1 ORDER BY id";
constexpr auto enabled_everywhere =
    select_rules + " WHERE service = '' AND project = $1 AND enabled = 1 ORDER BY id";

Result<AlarmRule> read_rule(const Statement& row) {
  AlarmRule rule;
  ECP_TRY(rule.id, sql_stores::id_at<AlarmRuleId>(row, 0));
  ECP_TRY(rule.organization, sql_stores::id_at<access::OrganizationId>(row, 1));
  ECP_TRY(rule.project, sql_stores::id_at<access::ProjectId>(row, 2));
  rule.name = row.text(3);
  ECP_TRY(rule.condition.service, sql_stores::id_at<link::EdgeServiceId>(row, 4));
  rule.condition.tag = row.text(5);
  rule.condition.above = row.integer(6) == 1;
  rule.condition.threshold = row.real(7);
  rule.condition.hysteresis = row.real(8);
  rule.condition.hold = Milliseconds(row.integer(9));
  ECP_TRY(rule.severity, sql_stores::stored(parse_severity(row.text(10)), noun));
  rule.enabled = row.integer(11) == 1;
  rule.revision = Revision{row.integer(12)};
  rule.condition_revision = Revision{row.integer(13)};
  rule.condition_at = from_ms(row.integer(14));
  rule.created_at = from_ms(row.integer(15));
  return rule;
}

Error name_taken() {
  return Error(reasons::name_taken, {{"noun", std::string(noun)}, {"field", "name"}});
}

class SqlAlarmRuleStore final : public AlarmRuleStore {
 public:
  explicit SqlAlarmRuleStore(Connection& connection) : connection_(connection) {}

  Result<void> insert(const AlarmRule& rule) override {
    const auto& condition = rule.condition;
    ECP_TRY(
        const auto changed,
        connection_.run("INSERT INTO alarm_rules (id, organization, project, name, service,"
                        " tag, above, threshold, hysteresis, hold_ms, severity, enabled,"
                        " revision, condition_revision, condition_at, created_at)"
                        " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13,"
                        " $14, $15) ON CONFLICT DO NOTHING",
                        rule.id.to_string(), rule.organization.to_string(),
                        rule.project.to_string(), rule.name, sql_stores::text_of(condition.service),
                        condition.tag, condition.above, condition.threshold, condition.hysteresis,
                        std::int64_t{condition.hold.count()}, to_string(rule.severity),
                        rule.enabled, rule.condition_revision, rule.condition_at, rule.created_at));
    if (changed == 0) return name_taken();
    return {};
  }

  Result<AlarmRule> get(access::ProjectId project, AlarmRuleId id) override {
    ECP_TRY(auto rule, find(id));
    if (!rule || rule->project != project) {
      return Error(reasons::not_found, {{"noun", std::string(noun)}});
    }
    return std::move(*rule);
  }

  Result<std::optional<AlarmRule>> find(AlarmRuleId id) override {
    ECP_TRY(auto* const row, connection_.bound(by_id, id.to_string()));
    return sql_stores::first_row<AlarmRule>(row, read_rule);
  }

  Result<Page<AlarmRule>> list(const AlarmRuleQuery& query, PageRequest page) override {
    std::optional<std::string> service;
    if (query.service) service = query.service->to_string();
    ECP_TRY(auto* const rows, connection_.bound(by_project, query.project.to_string(), service,
                                                page.limit, page.offset));
    Page<AlarmRule> found;
    ECP_TRY(found.items, sql_stores::all_rows<AlarmRule>(rows, read_rule));
    ECP_TRY(auto* const count,
            connection_.bound("SELECT COUNT(*) FROM alarm_rules WHERE project = $1 AND"
                              " (CAST($2 AS TEXT) IS NULL OR service = CAST($2 AS TEXT))",
                              query.project.to_string(), service));
    ECP_TRY(found.total, sql_stores::number_of(count));
    return found;
  }

  Result<std::vector<AlarmRule>> list_enabled(link::EdgeServiceId service) override {
    ECP_TRY(auto* const rows, connection_.bound(enabled_of_service, service.to_string()));
    return sql_stores::all_rows<AlarmRule>(rows, read_rule);
  }

  Result<std::vector<AlarmRule>> list_enabled_everywhere(access::ProjectId project) override {
    ECP_TRY(auto* const rows, connection_.bound(enabled_everywhere, project.to_string()));
    return sql_stores::all_rows<AlarmRule>(rows, read_rule);
  }

  Result<std::int64_t> count(access::ProjectId project) override {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT COUNT(*) FROM alarm_rules WHERE project = $1",
                              project.to_string()));
    return sql_stores::number_of(row);
  }

  Result<Revision> update(const AlarmRule& rule) override {
    ECP_TRY(const bool taken, is_name_taken(rule));
    if (taken) return name_taken();
    const auto& condition = rule.condition;
    ECP_TRY(const auto changed,
            connection_.run("UPDATE alarm_rules SET name = $4, above = $5, threshold = $6,"
                            " hysteresis = $7, hold_ms = $8, severity = $9, enabled = $10,"
                            " condition_revision = $11, condition_at = $12,"
                            " revision = revision + 1"
                            " WHERE id = $1 AND project = $2 AND revision = $3",
                            rule.id.to_string(), rule.project.to_string(), rule.revision, rule.name,
                            condition.above, condition.threshold, condition.hysteresis,
                            std::int64_t{condition.hold.count()}, to_string(rule.severity),
                            rule.enabled, rule.condition_revision, rule.condition_at));
    if (changed == 0) {
      ECP_TRY(const auto other, find(rule.id));
      return sql_stores::missed_update(other && other->project == rule.project, noun);
    }
    return next(rule.revision);
  }

  Result<void> remove(access::ProjectId project, AlarmRuleId id) override {
    ECP_TRY(const auto changed,
            connection_.run("DELETE FROM alarm_rules WHERE project = $1 AND id = $2",
                            project.to_string(), id.to_string()));
    if (changed == 0) return Error(reasons::not_found, {{"noun", std::string(noun)}});
    return {};
  }

  Result<void> remove_of_service(link::EdgeServiceId service) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM alarm_rules WHERE service = $1", service.to_string()));
    return {};
  }

  Result<void> remove_of_project(access::ProjectId project) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM alarm_rules WHERE project = $1", project.to_string()));
    return {};
  }

 private:
  Result<bool> is_name_taken(const AlarmRule& rule) {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT 1 FROM alarm_rules WHERE project = $1 AND name = $2"
                              " AND id <> $3",
                              rule.project.to_string(), rule.name, rule.id.to_string()));
    return row->step();
  }

  Connection& connection_;
};

class SqlAlarmSettingsStore final : public AlarmSettingsStore {
 public:
  explicit SqlAlarmSettingsStore(Connection& connection) : connection_(connection) {}

  Result<AlarmSettings> get(access::ProjectId project) override {
    ECP_TRY(auto* const row,
            connection_.bound("SELECT node_offline, service_failed, revision FROM alarm_settings"
                              " WHERE project = $1",
                              project.to_string()));
    AlarmSettings settings;
    ECP_TRY(const bool found, row->step());
    if (!found) return settings;
    settings.node_offline = row->integer(0) == 1;
    settings.service_failed = row->integer(1) == 1;
    settings.revision = Revision{row->integer(2)};
    return settings;
  }

  Result<Revision> put(access::ProjectId project, const AlarmSettings& settings) override {
    const bool is_new = settings.revision == Revision::none;
    const std::string_view text =
        is_new ? "INSERT INTO alarm_settings (project, node_offline, service_failed, revision)"
                 " VALUES ($1, $2, $3, $4 + 1) ON CONFLICT DO NOTHING"
               : "UPDATE alarm_settings SET node_offline = $2, service_failed = $3,"
                 " revision = revision + 1 WHERE project = $1 AND revision = $4";
    ECP_TRY(const auto changed, connection_.run(text, project.to_string(), settings.node_offline,
                                                settings.service_failed, settings.revision));
    if (changed == 0) return sql_stores::missed_update(true, "alarm settings");
    return next(settings.revision);
  }

  Result<void> remove(access::ProjectId project) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM alarm_settings WHERE project = $1", project.to_string()));
    return {};
  }

 private:
  Connection& connection_;
};

}  // namespace

namespace sql_stores {

storage::ErasedStore make_rules(Connection& connection) {
  return storage::erase<AlarmRuleStore>(new SqlAlarmRuleStore(connection));
}

storage::ErasedStore make_settings(Connection& connection) {
  return storage::erase<AlarmSettingsStore>(new SqlAlarmSettingsStore(connection));
}

}  // namespace sql_stores

}  // namespace ecp::inline v0::alarm
