// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What module identity brings to a database.

#include <ecp/core/export.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

[[nodiscard]] ECP_EXPORT const StoreModule& identity_module();

}  // namespace ecp::inline v0::storage
