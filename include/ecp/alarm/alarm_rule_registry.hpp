// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of alarm rules.

#include <optional>
#include <string>

#include <ecp/access/grant.hpp>
#include <ecp/alarm/alarm_rule_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::fleet {
class DesiredEngine;
}

namespace ecp::inline v0::alarm {

class AlarmEngine;

/// Creates, changes and removes alarm rules and switches built-in ones. A rule that changes reaches
/// its edge nodes with the next manifest; its active alarm is cleared and judged anew there.
///
/// Thread safety: any thread; calls block.
/// Errors: as Grant::require and the stores, besides those named.
class ECP_EXPORT AlarmRuleRegistry {
 public:
  struct NewRule {
    std::string name;
    Condition condition;
    Severity severity = Severity::normal;
    bool enabled = true;
  };
  struct Changes {
    std::optional<std::string> name;
    std::optional<bool> above;
    std::optional<double> threshold;
    std::optional<double> hysteresis;
    std::optional<Milliseconds> hold;
    std::optional<Severity> severity;
    std::optional<bool> enabled;
  };
  AlarmRuleRegistry(storage::Store& store, fleet::DesiredEngine& desired, AlarmEngine& alarms,
                    Env env);

  /// Fails with `not_found` for the service, `invalid_argument` when it has no numeric data tag of
  /// that name, `already_exists` for the name, and `resource_exhausted` over
  /// limits::alarm_rules_per_project.
  Result<AlarmRule> create(const access::Grant& grant, const NewRule& wanted);
  Result<AlarmRule> get(const access::Grant& grant, AlarmRuleId id);
  /// `query.project` is taken from the grant.
  Result<Page<AlarmRule>> list(const access::Grant& grant, AlarmRuleQuery query, PageRequest page);
  /// Fails with `conflict` when the rule is no longer at `revision`.
  Result<AlarmRule> update(const access::Grant& grant, AlarmRuleId id, Revision revision,
                           const Changes& changes);
  Result<void> remove(const access::Grant& grant, AlarmRuleId id, Revision revision);

  Result<AlarmSettings> settings(const access::Grant& grant);
  /// Switching a built-in rule off clears its active alarms.
  Result<AlarmSettings> set_settings(const access::Grant& grant, const AlarmSettings& wanted);

 private:
  storage::Store& store_;
  fleet::DesiredEngine& desired_;
  AlarmEngine& alarms_;
  Env env_;
};

}  // namespace ecp::inline v0::alarm
