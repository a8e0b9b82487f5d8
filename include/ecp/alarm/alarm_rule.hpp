// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Alarm rules: conditions on data tags, evaluated at the edge.

#include <cstdint>
#include <string>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/access/ids.hpp>
#include <ecp/alarm/ids.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/link/documents.hpp>

namespace ecp::inline v0::alarm {

/// How bad it is. A critical alarm is never muted by a normal one.
enum class Severity : std::uint8_t { normal, critical };
[[nodiscard]] ECP_EXPORT std::string_view to_string(Severity severity) noexcept;
[[nodiscard]] ECP_EXPORT Result<Severity> parse_severity(std::string_view text);

/// What a rule asks of a data tag.
struct Condition {
  link::EdgeServiceId service;  ///< Nil: every edge service of the project that has the tag.
  std::string tag;              ///< "driver/group/tag".
  bool above = true;  ///< Raise when the value is greater than the threshold, else when less.
  double threshold = 0;
  double hysteresis = 0;  ///< Clears only when the value has come back by this much.
  Milliseconds hold{0};   ///< How long it must be so before the alarm is raised; 0..1 day.
  friend bool operator==(const Condition&, const Condition&) = default;
};

/// Threshold rule on a data tag of one edge service, or of every one that has it; judged for each
/// service by itself.
struct AlarmRule {
  AlarmRuleId id;
  access::OrganizationId organization;
  access::ProjectId project;
  std::string name;
  Condition condition;
  Severity severity = Severity::normal;
  bool enabled = true;
  Revision revision = Revision::first;
  /// Revision at which the condition last changed or was switched on or off; what the edge knows
  /// the rule by, so that a new name alone resets nothing there.
  Revision condition_revision = Revision::first;
  Time condition_at{};  ///< When that was.
  Time created_at{};

  [[nodiscard]] access::Scope scope() const noexcept { return {organization, project}; }
};

/// The rule as the edge gets it.
[[nodiscard]] ECP_EXPORT link::EdgeAlarmRule edge_rule(const AlarmRule& rule);

/// Built-in rules of a project: what is raised without any rule of the user's. Both are critical.
struct AlarmSettings {
  bool node_offline = true;
  bool service_failed = true;
  Revision revision = Revision::none;  ///< `none`: never changed.
};

}  // namespace ecp::inline v0::alarm
