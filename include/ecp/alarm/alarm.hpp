// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Alarms: occurrences of a rule's condition.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/access/ids.hpp>
#include <ecp/alarm/alarm_rule.hpp>
#include <ecp/alarm/ids.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/fleet/ids.hpp>

namespace ecp::inline v0::alarm {

enum class AlarmState : std::uint8_t { active, cleared };
[[nodiscard]] ECP_EXPORT std::string_view to_string(AlarmState state) noexcept;
[[nodiscard]] ECP_EXPORT Result<AlarmState> parse_alarm_state(std::string_view text);

/// What made an alarm: one of these, or an OEM's name.
namespace sources {
inline constexpr std::string_view threshold = "threshold";
inline constexpr std::string_view node_offline = "edge_node.offline";
inline constexpr std::string_view service_failed = "edge_service.failed";
inline constexpr std::string_view token_used_again = "enrollment_token.used_again";
inline constexpr std::string_view identity_doubled = "edge_node.identity_doubled";
inline constexpr std::string_view platform_restored = "platform.restored";
}  // namespace sources

/// One occurrence: raised once, cleared at most once. At most one is active for each `key`.
struct Alarm {
  AlarmId id;
  access::OrganizationId organization;
  access::ProjectId project;
  std::string source;  ///< See `sources`.
  std::string key;     ///< What it is an alarm of; equal for all occurrences of the same trouble.
  std::string name;    ///< The rule's name when it was raised, or the built-in rule's.
  Severity severity = Severity::normal;
  AlarmState state = AlarmState::active;
  AlarmRuleId rule;              ///< Nil for built-in rules.
  fleet::EdgeNodeId node;        ///< Nil when none is concerned.
  fleet::EdgeServiceId service;  ///< Nil when none is concerned.
  std::string tag;               ///< "driver/group/tag" or empty.
  std::string subject;           ///< Name of what it is about: "press-7 drive/fast/temperature".
  std::string message;           ///< One sentence for people.
  std::optional<double> value;   ///< Value that raised it.
  bool late = false;             ///< Reported after a cut.
  Time raised_at{};
  std::optional<Time> cleared_at;
  std::string clear_message;        ///< Why it was cleared; empty while active.
  std::int64_t raised_number = 0;   ///< In the agent's alarm journal; 0 when raised here.
  std::int64_t cleared_number = 0;  ///< The same for the clear.
  Revision revision = Revision::first;

  [[nodiscard]] access::Scope scope() const noexcept { return {organization, project}; }
};

/// The record as the API and live events show it.
[[nodiscard]] ECP_EXPORT std::string to_json(const Alarm& alarm);

}  // namespace ecp::inline v0::alarm
