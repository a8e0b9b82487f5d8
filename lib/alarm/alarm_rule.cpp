// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_rule.hpp>

#include <ecp/alarm/alarm_rule_store.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::alarm {

AlarmRuleStore::~AlarmRuleStore() = default;
AlarmSettingsStore::~AlarmSettingsStore() = default;

std::string_view to_string(Severity severity) noexcept {
  return severity == Severity::critical ? "critical" : "normal";
}

Result<Severity> parse_severity(std::string_view text) {
  if (text == "critical") return Severity::critical;
  if (text == "normal") return Severity::normal;
  return Error(reasons::bad_field,
               {{"field", "severity"}, {"problem", "is neither \"critical\" nor \"normal\""}});
}

link::EdgeAlarmRule edge_rule(const AlarmRule& rule) {
  link::EdgeAlarmRule edge;
  edge.id = rule.id;
  edge.revision = to_number(rule.condition_revision);
  edge.service = rule.condition.service;
  edge.tag = rule.condition.tag;
  edge.above = rule.condition.above;
  edge.threshold = rule.condition.threshold;
  edge.hysteresis = rule.condition.hysteresis;
  edge.hold = rule.condition.hold;
  return edge;
}

}  // namespace ecp::inline v0::alarm
