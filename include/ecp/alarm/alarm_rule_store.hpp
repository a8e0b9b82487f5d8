// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage ports of alarm rules and of the built-in rules' settings.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <ecp/access/ids.hpp>
#include <ecp/alarm/alarm_rule.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::alarm {

/// Selection of alarm rules inside one project. An empty field matches everything.
struct AlarmRuleQuery {
  access::ProjectId project;                   ///< Required: there is no query across projects.
  std::optional<link::EdgeServiceId> service;  ///< Rules on this very service.
};

/// Durable collection of alarm rules.
///
/// Transactions: reachable only through storage::Transaction.
/// Thread safety: bound to the thread of its transaction.
/// Errors: besides those named, `unavailable` and `data_loss` of the backend.
class ECP_EXPORT AlarmRuleStore {
 public:
  static constexpr std::string_view store_name = "alarm.rules";
  virtual ~AlarmRuleStore();

  /// Insert a rule at revision 1. Fails with `already_exists` when its id, or its name in the
  /// project, is taken.
  virtual Result<void> insert(const AlarmRule& rule) = 0;
  /// Fails with `not_found` also when the id exists in another project.
  virtual Result<AlarmRule> get(access::ProjectId project, AlarmRuleId id) = 0;
  /// For engines.
  virtual Result<std::optional<AlarmRule>> find(AlarmRuleId id) = 0;
  /// One page ordered by name, then id.
  virtual Result<Page<AlarmRule>> list(const AlarmRuleQuery& query, PageRequest page) = 0;
  /// All rules on a service that are switched on, ordered by id.
  virtual Result<std::vector<AlarmRule>> list_enabled(link::EdgeServiceId service) = 0;
  /// All rules on every service of a project that are switched on, ordered by id.
  virtual Result<std::vector<AlarmRule>> list_enabled_everywhere(access::ProjectId project) = 0;
  virtual Result<std::int64_t> count(access::ProjectId project) = 0;
  /// Replace the record whose revision equals `rule.revision`; return the new one. Fails with
  /// `conflict` when somebody else was first, and `already_exists`.
  virtual Result<Revision> update(const AlarmRule& rule) = 0;
  /// Fails with `not_found` when there is none.
  virtual Result<void> remove(access::ProjectId project, AlarmRuleId id) = 0;
  /// Remove all rules on a service; none is success.
  virtual Result<void> remove_of_service(link::EdgeServiceId service) = 0;
  virtual Result<void> remove_of_project(access::ProjectId project) = 0;
};

/// Durable settings of the built-in rules, one row per project that changed them.
class ECP_EXPORT AlarmSettingsStore {
 public:
  static constexpr std::string_view store_name = "alarm.settings";
  virtual ~AlarmSettingsStore();
  /// The defaults at revision `none` for a project that never changed them.
  virtual Result<AlarmSettings> get(access::ProjectId project) = 0;
  /// Replace those whose revision equals `settings.revision`; return the new one. Fails with
  /// `conflict`.
  virtual Result<Revision> put(access::ProjectId project, const AlarmSettings& settings) = 0;
  virtual Result<void> remove(access::ProjectId project) = 0;
};

}  // namespace ecp::inline v0::alarm
