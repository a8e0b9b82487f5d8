// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The SQL stores of the agent module.

#include <ecp/core/export.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

[[nodiscard]] ECP_EXPORT const StoreModule& agent_module();

}  // namespace ecp::inline v0::storage
