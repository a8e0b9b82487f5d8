// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Stores of alarm for SQL databases.

#include <ecp/core/export.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

/// Alarm rules, settings, alarms and webhooks.
[[nodiscard]] ECP_EXPORT const StoreModule& alarm_module();

}  // namespace ecp::inline v0::storage
