// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// PostgreSQL (15 or later) as the database.

#include <memory>
#include <span>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::storage {

/// Options of the PostgreSQL backend.
struct PostgresOptions {
  std::string url;           ///< "postgresql://user@host/db"; a password comes from a passfile.
  unsigned connections = 4;  ///< Pool size.
};

/// Open a store on PostgreSQL. Fails with `failed_precondition` (storage.unsuitable) unless the
/// server is 15 or later and the database is UTF8 with C collation, and as `open_store`.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Store>> open_postgres(
    const PostgresOptions& options, std::span<const StoreModule* const> modules, const Env& env);

/// The bare driver, for tables with a schema of their own (series).
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<sql::Driver>> postgres_driver(
    const PostgresOptions& options);

}  // namespace ecp::inline v0::storage
