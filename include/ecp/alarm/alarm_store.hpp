// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage port of the alarm noun.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <ecp/access/ids.hpp>
#include <ecp/alarm/alarm.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::alarm {

/// Selection of alarms inside one project. An empty field matches everything.
struct AlarmQuery {
  access::ProjectId project;  ///< Required: there is no query across projects.
  std::optional<AlarmState> state;
  std::optional<Severity> severity;
};

/// What active alarms belong to. Exactly one field is set.
struct AlarmOwner {
  AlarmRuleId rule;
  fleet::EdgeServiceId service;
  fleet::EdgeNodeId node;
};

/// Durable collection of alarms.
///
/// Transactions: reachable only through storage::Transaction.
/// Thread safety: bound to the thread of its transaction.
/// Errors: besides those named, `unavailable` and `data_loss` of the backend.
class ECP_EXPORT AlarmStore {
 public:
  static constexpr std::string_view store_name = "alarm.alarms";
  virtual ~AlarmStore();

  /// Insert an active alarm; false, and no change, when one is active for its key.
  virtual Result<bool> raise(const Alarm& alarm) = 0;
  /// Replace state, clear time, clear message, clear number of an active alarm; false when it is
  /// not active any more.
  virtual Result<bool> clear(const Alarm& alarm) = 0;
  /// Fails with `not_found` also when the id exists in another project.
  virtual Result<Alarm> get(access::ProjectId project, AlarmId id) = 0;
  /// The active alarm of a key.
  virtual Result<std::optional<Alarm>> find_active(std::string_view key) = 0;
  /// Active alarms of a rule, a service or a node, oldest first.
  virtual Result<std::vector<Alarm>> list_active(const AlarmOwner& owner) = 0;
  /// Active alarms of one source in a project, oldest first.
  virtual Result<std::vector<Alarm>> list_active(access::ProjectId project,
                                                 std::string_view source) = 0;
  /// The same in all projects, for the engine.
  virtual Result<std::vector<Alarm>> list_active_everywhere(std::string_view source) = 0;
  /// One page, newest raise first.
  virtual Result<Page<Alarm>> list(const AlarmQuery& query, PageRequest page) = 0;
  virtual Result<std::int64_t> count_active(access::ProjectId project) = 0;
  /// Remove all of a project, history too.
  virtual Result<void> remove_of_project(access::ProjectId project) = 0;
};

}  // namespace ecp::inline v0::alarm
