// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The connections of one store, shared by its callers.

#include <condition_variable>
#include <memory>
#include <mutex>
#include <vector>

#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::storage {

class ConnectionPool;

/// A connection in use; goes back to its pool when this is destroyed, unless it is broken.
class PooledConnection {
 public:
  PooledConnection(ConnectionPool& pool, std::unique_ptr<sql::Connection> connection)
      : pool_(&pool), connection_(std::move(connection)) {}
  ~PooledConnection();
  PooledConnection(PooledConnection&& other) noexcept = default;
  PooledConnection& operator=(PooledConnection&&) = delete;

  sql::Connection& operator*() { return *connection_; }

 private:
  ConnectionPool* pool_;
  std::unique_ptr<sql::Connection> connection_;
};

/// Makes connections when they are first needed and keeps them.
///
/// Thread safety: any thread. Outlives every PooledConnection.
class ConnectionPool {
 public:
  ConnectionPool(sql::Driver& driver, unsigned most);

  /// Wait for a connection. Fails with `unavailable` when none is free in time or the database
  /// cannot be reached, `cancelled` after close.
  [[nodiscard]] Result<PooledConnection> acquire();
  /// Put in a connection made elsewhere.
  void add(std::unique_ptr<sql::Connection> connection);
  /// Forget the idle connections: the database went away, and they with it.
  void drop_idle();
  /// Sleep, but not beyond close; false when closed.
  bool pause(Milliseconds duration);
  /// Refuse new users, wait for the present ones, disconnect.
  void close() noexcept;

 private:
  friend class PooledConnection;
  void give_back(std::unique_ptr<sql::Connection> connection) noexcept;

  sql::Driver& driver_;
  const unsigned most_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::unique_ptr<sql::Connection>> idle_;
  unsigned in_use_ = 0;
  bool closed_ = false;
};

}  // namespace ecp::inline v0::storage
