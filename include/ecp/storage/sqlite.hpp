// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SQLite as the database: one file, or memory.

#include <memory>
#include <span>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::storage {

/// Options of the SQLite backend.
struct SqliteOptions {
  std::string path;              ///< File (made with mode 0600), or ":memory:".
  bool writer_thread = true;     ///< False: units run in their caller's thread (simulation).
  unsigned readers = 4;          ///< Connections for reads, made when first needed.
  const Clock* clock = nullptr;  ///< The database's time; null: the env's, or the system's.
  Milliseconds patience{5'000};  ///< How long to wait for another program's lock.
  std::string vfs;               ///< A registered SQLite VFS; empty: the default one.
};

/// Open a store on SQLite. Fails with `unavailable` when the file cannot be opened or is in use,
/// `data_loss` when it is damaged or no database, and as `open_store`.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Store>> open_sqlite(
    const SqliteOptions& options, std::span<const StoreModule* const> modules, const Env& env);

/// The bare driver, for files with a schema of their own (series, the agent's buffer). Every
/// connection has WAL, synchronous=FULL, foreign keys and a small page cache.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<sql::Driver>> sqlite_driver(
    const SqliteOptions& options);

}  // namespace ecp::inline v0::storage
