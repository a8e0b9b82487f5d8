// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of alarms.

#include <ecp/access/grant.hpp>
#include <ecp/alarm/alarm_store.hpp>
#include <ecp/core/export.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::alarm {

/// Shows active alarms and their history.
///
/// Thread safety: any thread; calls block.
/// Errors: as Grant::require and the stores.
class ECP_EXPORT AlarmRegistry {
 public:
  explicit AlarmRegistry(storage::Store& store) : store_(store) {}

  Result<Alarm> get(const access::Grant& grant, AlarmId id);
  /// `query.project` is taken from the grant. The page's total counts all matches.
  Result<Page<Alarm>> list(const access::Grant& grant, AlarmQuery query, PageRequest page);

 private:
  storage::Store& store_;
};

}  // namespace ecp::inline v0::alarm
