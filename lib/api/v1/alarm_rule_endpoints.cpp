// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <ecp/access/permissions.hpp>
#include <ecp/alarm/alarm_rule_registry.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/alarm_endpoints.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using alarm::AlarmRule;
using alarm::AlarmRuleId;
using alarm::AlarmRuleRegistry;

namespace {

constexpr double max_number = std::numeric_limits<double>::max();
constexpr std::int64_t max_hold_ms = 24LL * 3'600'000;
constexpr json::TextBounds tag_bounds{1, 200};

void write_rule(json::Writer& writer, const AlarmRule& rule) {
  const auto& condition = rule.condition;
  writer.begin_object().field("id", rule.id.to_string()).field("name", rule.name);
  writer.key("service");
  if (condition.service.is_nil()) {
    writer.null();
  } else {
    writer.value(condition.service.to_string());
  }
  writer.field("tag", condition.tag);
  writer.field("operator", condition.above ? ">" : "<").field("threshold", condition.threshold);
  writer.field("hysteresis", condition.hysteresis);
  writer.field("for_ms", std::int64_t{condition.hold.count()});
  writer.field("severity", to_string(rule.severity)).field("enabled", rule.enabled);
  writer.field("created_at", to_rfc3339(rule.created_at));
  writer.field("revision", to_number(rule.revision)).end_object();
}

http::Response rule_response(int status, const AlarmRule& rule) {
  json::Writer writer;
  write_rule(writer, rule);
  return json_response(status, writer.take(), rule.revision);
}

http::Response settings_response(const alarm::AlarmSettings& settings) {
  json::Writer writer;
  writer.begin_object().field("node_offline", settings.node_offline);
  writer.field("service_failed", settings.service_failed);
  writer.field("revision", to_number(settings.revision)).end_object();
  return json_response(200, writer.take(), settings.revision);
}

Result<alarm::Severity> read_severity(json::Reader& reader) {
  ECP_TRY(const auto word, reader.choice("severity", {"critical", "normal"}));
  return alarm::parse_severity(word);
}

Result<AlarmRuleRegistry::NewRule> new_rule_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  AlarmRuleRegistry::NewRule rule;
  ECP_TRY(rule.name, reader.text("name"));
  if (reader.optional_value("service")) {  // Unlike `has`, this also takes a null.
    ECP_TRY(rule.condition.service, reader.id<link::EdgeServiceId>("service"));
    if (rule.condition.service.is_nil()) {  // Inside, it stands for every edge service.
      return reader.bad("service", "is no edge service's id; null stands for all of them");
    }
  }
  ECP_TRY(rule.condition.tag, reader.text("tag", tag_bounds));
  ECP_TRY(const auto operation, reader.choice("operator", {">", "<"}));
  rule.condition.above = operation == ">";
  ECP_TRY(rule.condition.threshold, reader.number("threshold", -max_number, max_number));
  ECP_TRY(rule.condition.hysteresis, reader.number_or("hysteresis", 0, 0, max_number));
  ECP_TRY(const auto hold, reader.integer_or("for_ms", 0, 0, max_hold_ms));
  rule.condition.hold = Milliseconds(hold);
  if (reader.has("severity")) {
    ECP_TRY(rule.severity, read_severity(reader));
  }
  ECP_TRY(rule.enabled, reader.boolean_or("enabled", true));
  ECP_TRY_VOID(reader.finish());
  return rule;
}

Result<AlarmRuleRegistry::Changes> rule_changes_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  AlarmRuleRegistry::Changes changes;
  ECP_TRY(changes.name, reader.optional_text("name"));
  if (reader.has("operator")) {
    ECP_TRY(const auto operation, reader.choice("operator", {">", "<"}));
    changes.above = operation == ">";
  }
  ECP_TRY(changes.threshold, reader.optional_number("threshold", -max_number, max_number));
  ECP_TRY(changes.hysteresis, reader.optional_number("hysteresis", 0, max_number));
  ECP_TRY(const auto hold, reader.optional_integer("for_ms", 0, max_hold_ms));
  if (hold) changes.hold = Milliseconds(*hold);
  if (reader.has("severity")) {
    ECP_TRY(changes.severity, read_severity(reader));
  }
  if (reader.has("enabled")) {
    ECP_TRY(changes.enabled, reader.boolean("enabled"));
  }
  ECP_TRY_VOID(reader.finish());
  return changes;
}

Result<alarm::AlarmRuleQuery> rule_query_from(const http::Request& request) {
  alarm::AlarmRuleQuery query;
  ECP_TRY(const auto service, request.query_value("service"));
  if (service) {
    ECP_TRY(query.service, link::EdgeServiceId::parse(*service));
  }
  return query;
}

Result<alarm::AlarmSettings> settings_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  alarm::AlarmSettings settings;
  ECP_TRY(settings.revision, if_match(request));
  ECP_TRY(settings.node_offline, reader.boolean("node_offline"));
  ECP_TRY(settings.service_failed, reader.boolean("service_failed"));
  ECP_TRY_VOID(reader.finish());
  return settings;
}

void add_settings_endpoints(Router& router, AlarmRuleRegistry& rules) {
  const std::string path = "/api/v1/orgs/:org/projects/:project/alarmsettings";
  router.add({http::Method::get, path, &permissions::alarm_rule_view,
              [&rules](const http::Request&, const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto settings, rules.settings(grant));
                return settings_response(settings);
              }});
  router.add({http::Method::put, path, &permissions::alarm_rule_edit,
              [&rules](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto wanted, settings_from(request));
                ECP_TRY(const auto settings, rules.set_settings(grant, wanted));
                return settings_response(settings);
              }});
}

}  // namespace

void add_alarm_rule_endpoints(Router& router, AlarmRuleRegistry& rules) {
  const std::string all = "/api/v1/orgs/:org/projects/:project/alarmrules";
  const std::string one = all + "/:rule";
  router.add({http::Method::get, all, &permissions::alarm_rule_view,
              [&rules](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto page, page_from(request, {"service"}));
                ECP_TRY(const auto query, rule_query_from(request));
                ECP_TRY(const auto found, rules.list(grant, query, page));
                return json_response(200, json_list(found, write_rule));
              }});
  router.add({http::Method::post, all, &permissions::alarm_rule_edit,
              [&rules](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto wanted, new_rule_from(request));
                ECP_TRY(const auto rule, rules.create(grant, wanted));
                return rule_response(201, rule);
              }});
  router.add({http::Method::get, one, &permissions::alarm_rule_view,
              [&rules](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto rule, rules.get(grant, id_of<AlarmRuleId>(request, "rule")));
                return rule_response(200, rule);
              }});
  router.add({http::Method::patch, one, &permissions::alarm_rule_edit,
              [&rules](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY(const auto changes, rule_changes_from(request));
                ECP_TRY(const auto rule, rules.update(grant, id_of<AlarmRuleId>(request, "rule"),
                                                      revision, changes));
                return rule_response(200, rule);
              }});
  router.add({http::Method::del, one, &permissions::alarm_rule_edit,
              [&rules](const http::Request& request,
                       const access::Grant& grant) -> Result<http::Response> {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(rules.remove(grant, id_of<AlarmRuleId>(request, "rule"), revision));
                return empty_response();
              }});
  add_settings_endpoints(router, rules);
}

}  // namespace ecp::inline v0::api
