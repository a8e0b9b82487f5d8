// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Brings a database's schema to what this program knows.

#include <span>

#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

/// Run every migration that the database does not have yet, all in one transaction that keeps other
/// openers waiting. Fails with `failed_precondition` when the database has a migration that a given
/// module does not know, or made it from another text; then nothing was changed.
[[nodiscard]] Result<void> migrate(sql::Connection& connection,
                                   std::span<const StoreModule* const> modules, Time now);

}  // namespace ecp::inline v0::storage
