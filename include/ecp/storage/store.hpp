// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A database as the rest of the product sees it: units of work.

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <type_traits>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

/// Runs units of work, each in one transaction.
///
/// Transactions: a unit's value commits, its error rolls back and is passed on. `write` returns
///   after the durable commit. Calling `write` or `read` inside a unit asserts.
/// Thread safety: any thread. `write` and `read` block: call them on a worker.
/// Errors: besides the unit's own: `unavailable` when the database cannot be reached, `data_loss`
///   when it is damaged, `cancelled` after `close`.
class ECP_EXPORT Store {
 public:
  virtual ~Store();

  /// Run a unit that may change things: `[&](Transaction&) -> Result<T>`.
  template <class Unit>
  auto write(Unit&& unit) -> std::invoke_result_t<Unit&, Transaction&> {
    return run<std::invoke_result_t<Unit&, Transaction&>>(unit, &Store::run_write);
  }
  /// Run a unit that only looks; it sees one consistent state.
  template <class Unit>
  auto read(Unit&& unit) -> std::invoke_result_t<Unit&, Transaction&> {
    return run<std::invoke_result_t<Unit&, Transaction&>>(unit, &Store::run_read);
  }
  /// Queue a unit; the handler gets the outcome on the env's workers, after the durable commit.
  virtual void async_write(std::function<Result<void>(Transaction&)> unit,
                           std::function<void(Result<void>)> handler) = 0;
  /// Finish what is queued, then refuse everything; idempotent.
  virtual void close() noexcept = 0;

 protected:
  using ErasedUnit = std::function<Result<void>(Transaction&)>;
  virtual Result<void> run_write(const ErasedUnit& unit) = 0;
  virtual Result<void> run_read(const ErasedUnit& unit) = 0;

 private:
  template <class Outcome, class Unit>
  Outcome run(Unit& unit, Result<void> (Store::*how)(const ErasedUnit&)) {
    std::optional<Outcome> outcome;
    auto ran = (this->*how)([&](Transaction& transaction) -> Result<void> {
      outcome.emplace(unit(transaction));
      if (!outcome->has_value()) return outcome->error();
      return {};
    });
    if (!ran) return std::move(ran).error();
    return std::move(*outcome);
  }
};

/// Open a store on any driver: check the database, run what migrations are missing, start the
/// writer. `modules` outlive the store. Fails with `failed_precondition` when the schema is newer
/// than this program.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Store>> open_store(
    std::unique_ptr<sql::Driver> driver, std::span<const StoreModule* const> modules,
    const Env& env);

/// Options of the SQLite backend.
struct SqliteOptions {
  std::string path;         ///< File, or ":memory:".
  bool writer_thread = true;  ///< False: units run in their caller's thread (simulation).
};
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Store>> open_sqlite(
    const SqliteOptions& options, std::span<const StoreModule* const> modules, const Env& env);
/// The bare driver, for files with a schema of their own (series, the agent's buffer).
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<sql::Driver>> sqlite_driver(
    const SqliteOptions& options);

/// Options of the PostgreSQL backend.
struct PostgresOptions {
  std::string url;           ///< "postgresql://user@host/db"; a password comes from a passfile.
  unsigned connections = 4;  ///< Pool size.
};
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Store>> open_postgres(
    const PostgresOptions& options, std::span<const StoreModule* const> modules, const Env& env);

}  // namespace ecp::storage
