// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A module with one table of every type, for tests of storage itself.

#include <array>

#include <ecp/storage/store.hpp>
#include <ecp/storage/transaction.hpp>

#include "support/results.hpp"

namespace ecp_test {

inline constexpr ecp::storage::Migration probe_migrations[] = {
    {1,
     "CREATE TABLE probe (name TEXT NOT NULL PRIMARY KEY, number BIGINT, real DOUBLE PRECISION,"
     " octets BYTEA, flag BIGINT NOT NULL DEFAULT 0);"
     "CREATE TABLE probe_part (owner TEXT NOT NULL REFERENCES probe (name))"},
};
inline constexpr ecp::storage::StoreModule probe_module{"probe", probe_migrations, {}};
inline constexpr std::array probe_modules{&probe_module};

using ecp::storage::Transaction;

inline ecp::Result<void> put(Transaction& transaction, std::string_view name, std::int64_t number) {
  auto put = transaction.connection().run("INSERT INTO probe (name, number) VALUES ($1, $2)", name,
                                          number);
  if (!put) return std::move(put).error();
  return {};
}

/// One integer of a query without parameters.
inline ecp::Result<std::int64_t> ask(Transaction& transaction, std::string_view text) {
  auto row = transaction.connection().bound(text);
  if (!row) return std::move(row).error();
  auto found = (*row)->step();
  if (!found) return std::move(found).error();
  return *found ? (*row)->integer(0) : -1;
}

inline std::int64_t count(ecp::storage::Store& store) {
  return must(store.read(
      [](Transaction& transaction) { return ask(transaction, "SELECT COUNT(*) FROM probe"); }));
}

}  // namespace ecp_test
