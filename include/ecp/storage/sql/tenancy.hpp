// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What module tenancy brings to a database.

#include <ecp/core/export.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

[[nodiscard]] ECP_EXPORT const StoreModule& tenancy_module();

}  // namespace ecp::inline v0::storage
