// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The fleet's stores, for the list of modules that a database is opened with.

#include <ecp/core/export.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

[[nodiscard]] ECP_EXPORT const StoreModule& fleet_module();

}  // namespace ecp::inline v0::storage
