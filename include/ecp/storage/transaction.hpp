// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One unit of work, and how stores are found in it.

#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::storage {

class Transaction;

/// A store with its type erased; `object` is exactly the port's type (EdgeServiceStore*).
using ErasedStore = std::unique_ptr<void, void (*)(void*)>;

/// How one store is made inside a transaction.
struct StoreFactory {
  std::string_view store_name;  ///< Equals the port's `store_name`.
  ErasedStore (*make)(sql::Connection& connection);
};

/// Erase an adapter to its port: `return erase<EdgeServiceStore>(new SqlEdgeServiceStore(c));`
template <class Port>
[[nodiscard]] ErasedStore erase(Port* store) {
  return ErasedStore(store, [](void* object) { delete static_cast<Port*>(object); });
}

/// One step of a module's schema; immutable once released.
struct Migration {
  int number;            ///< From 1, without holes, per module.
  std::string_view sql;  ///< Statements that every database understands.
};

/// What a module brings to the database it is opened on.
struct StoreModule {
  std::string_view name;  ///< "fleet"; its migrations are counted under this name.
  std::span<const Migration> migrations;
  std::span<const StoreFactory> factories;
};

/// All stores of one database, seen inside one unit of work.
///
/// Transactions: this is one. A unit may run more than once and touches nothing but its
/// transaction. Thread safety: bound to the thread that runs the unit; never kept beyond it.
class ECP_EXPORT Transaction {
 public:
  ~Transaction();
  Transaction(const Transaction&) = delete;
  Transaction& operator=(const Transaction&) = delete;

  /// The store of a noun: `transaction.get<EdgeServiceStore>()`. That its module was registered
  /// when the database was opened is an invariant (assert).
  template <class S>
  [[nodiscard]] S& get() {
    return *static_cast<S*>(find(S::store_name));
  }
  /// Run `wake` after the durable commit, on the thread that runs units; it must be short and not
  /// block. Dropped when the unit fails.
  void after_commit(std::function<void()> wake);
  /// False inside Store::read.
  [[nodiscard]] bool can_write() const noexcept { return can_write_; }
  /// For SQL stores and leases in lib/storage only.
  [[nodiscard]] sql::Connection& connection() noexcept { return connection_; }

 private:
  friend class SqlStore;
  Transaction(sql::Connection& connection,
              const std::map<std::string_view, StoreFactory>& factories, bool can_write);
  [[nodiscard]] void* find(std::string_view store_name);

  sql::Connection& connection_;
  const std::map<std::string_view, StoreFactory>& factories_;
  std::map<std::string_view, ErasedStore> stores_;
  std::vector<std::function<void()>> after_commit_;
  bool can_write_;
};

}  // namespace ecp::inline v0::storage
