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
///   after the durable commit. Calling `write` or `read` of any store inside a unit, or in a wake
///   of `after_commit`, asserts (without asserts: fails with `internal`, storage.nested_unit).
/// Thread safety: any thread. `write` and `read` block: call them on a worker.
/// Errors: besides the unit's own: `unavailable` when the database cannot be reached, `data_loss`
///   when it is damaged, `cancelled` after `close`, `conflict` when other writers kept winning.
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

/// Open a store on any driver (sqlite.hpp, postgres.hpp, or an OEM's): check the database, run what
/// migrations are missing, start the writer. `modules` outlive the store. Fails with
/// `failed_precondition` when the schema is newer than this program.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<Store>> open_store(
    std::unique_ptr<sql::Driver> driver, std::span<const StoreModule* const> modules,
    const Env& env);

}  // namespace ecp::inline v0::storage
