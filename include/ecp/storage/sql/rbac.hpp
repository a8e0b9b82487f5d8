// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What module rbac brings to a database.

#include <ecp/core/export.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

[[nodiscard]] ECP_EXPORT const StoreModule& rbac_module();

}  // namespace ecp::inline v0::storage
