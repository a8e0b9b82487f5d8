// SPDX-License-Identifier: Apache-2.0
#include "link/fields.hpp"

namespace ecp::inline v0::link {

namespace {

constexpr double max_value = std::numeric_limits<double>::max();
constexpr std::int64_t max_hold_ms = 31LL * 24 * 3'600'000;

Result<EdgeAlarmRule> read_rule(json::Reader& reader) {
  EdgeAlarmRule rule;
  ECP_TRY(rule.id, reader.id<AlarmRuleId>("id"));
  ECP_TRY(rule.revision, reader.integer("revision", 0, fields::max_number));
  if (reader.has("service")) {
    ECP_TRY(rule.service, reader.id<EdgeServiceId>("service"));
  }
  ECP_TRY(rule.tag, reader.text("tag", fields::tag_bounds));
  ECP_TRY(const auto operation, reader.choice("operator", {">", "<"}));
  rule.above = operation == ">";
  ECP_TRY(rule.threshold, reader.number("threshold", -max_value, max_value));
  ECP_TRY(rule.hysteresis, reader.number_or("hysteresis", 0, 0, max_value));
  ECP_TRY(const auto hold, reader.integer_or("for_ms", 0, 0, max_hold_ms));
  rule.hold = Milliseconds(hold);
  return rule;
}

}  // namespace

std::string to_json(const EdgeAlarmRules& rules) {
  auto writer = fields::begin_document();
  writer.key("rules").begin_array();
  for (const auto& rule : rules.rules) {
    writer.begin_object().field("id", rule.id.to_string()).field("revision", rule.revision);
    if (!rule.service.is_nil()) writer.field("service", rule.service.to_string());
    writer.field("tag", rule.tag);
    writer.field("operator", rule.above ? ">" : "<").field("threshold", rule.threshold);
    writer.field("hysteresis", rule.hysteresis);
    writer.field("for_ms", static_cast<std::int64_t>(rule.hold.count())).end_object();
  }
  writer.end_array();
  return fields::end_document(writer);
}

Result<EdgeAlarmRules> parse_edge_alarm_rules(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::resource_body));
  EdgeAlarmRules rules;
  ECP_TRY(rules.rules, fields::read_items<EdgeAlarmRule>(
                           parsed.reader(), "rules", limits::alarm_rules_per_project, read_rule));
  return rules;
}

}  // namespace ecp::inline v0::link
