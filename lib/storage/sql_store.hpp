// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The Store on any SQL driver.

#include <atomic>
#include <map>
#include <memory>
#include <mutex>
#include <span>

#include <ecp/storage/store.hpp>

#include "storage/connection_pool.hpp"
#include "storage/group_writer.hpp"

namespace ecp::inline v0::storage {

/// Runs units as the driver's WriteModel wants: through one writer, in the caller, or on any
/// connection with conflicts run again.
class SqlStore final : public Store {
 public:
  /// `connection` has seen the migrations and becomes the writer's or the pool's first.
  SqlStore(std::unique_ptr<sql::Driver> driver, std::unique_ptr<sql::Connection> connection,
           std::span<const StoreModule* const> modules, const Env& env);
  ~SqlStore() override;

  void async_write(std::function<Result<void>(Transaction&)> unit,
                   std::function<void(Result<void>)> handler) override;
  void close() noexcept override;

 protected:
  Result<void> run_write(const ErasedUnit& unit) override;
  Result<void> run_read(const ErasedUnit& unit) override;

 private:
  struct Attempt;
  class AsyncQueue;
  Result<void> write_now(const ErasedUnit& unit);
  Result<void> write_grouped(const ErasedUnit& unit);
  Result<void> write_in_caller(const ErasedUnit& unit);
  Result<void> run_pooled(const ErasedUnit& unit, bool writes);
  Attempt attempt(const ErasedUnit& unit, bool writes);
  Attempt run_once(sql::Connection& connection, const ErasedUnit& unit, bool writes);
  Result<void> run_unit(sql::Connection& connection, const ErasedUnit& unit, bool writes,
                        Wakes& wakes);

  Env env_;
  std::unique_ptr<sql::Driver> driver_;
  std::map<std::string_view, StoreFactory> factories_;
  ConnectionPool pool_;
  std::atomic<bool> closed_ = false;
  std::once_flag close_once_;
  std::mutex caller_mutex_;                             ///< Guards caller_connection_.
  std::unique_ptr<sql::Connection> caller_connection_;  ///< For WriteModel::in_caller.
  std::unique_ptr<GroupWriter> writer_;                 ///< For WriteModel::single_writer.
  std::shared_ptr<AsyncQueue> async_;  ///< Shared with tasks on the workers, which outlive us.
};

}  // namespace ecp::inline v0::storage
