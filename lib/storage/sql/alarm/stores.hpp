// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of alarm's SQL stores, and what they share.

#include <cstddef>
#include <string>
#include <string_view>

#include <ecp/core/reasons.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/transaction.hpp>

#include "storage/sql/rows.hpp"

namespace ecp::inline v0::alarm::sql_stores {

using storage::sql::all_rows;
using storage::sql::first_row;
using storage::sql::id_at;
using storage::sql::number_of;
using storage::sql::text_of;

[[nodiscard]] storage::ErasedStore make_rules(storage::sql::Connection& connection);
[[nodiscard]] storage::ErasedStore make_settings(storage::sql::Connection& connection);
[[nodiscard]] storage::ErasedStore make_alarms(storage::sql::Connection& connection);
[[nodiscard]] storage::ErasedStore make_webhooks(storage::sql::Connection& connection);

/// A piece of SQL known at compile time; pieces join with +, so that columns are listed once.
template <std::size_t size>
struct Sql {
  char text[size] = {};
  constexpr Sql() = default;
  constexpr Sql(const char (&literal)[size]) {  // NOLINT(*-explicit-*)
    for (std::size_t i = 0; i < size; ++i) text[i] = literal[i];
  }
  constexpr operator std::string_view() const { return {text, size - 1}; }  // NOLINT
};

template <std::size_t first, std::size_t second>
[[nodiscard]] constexpr auto operator+(const Sql<first>& front, const char (&back)[second]) {
  Sql<first + second - 1> joined;
  for (std::size_t i = 0; i + 1 < first; ++i) joined.text[i] = front.text[i];
  for (std::size_t i = 0; i < second; ++i) joined.text[first - 1 + i] = back[i];
  return joined;
}

/// A stored enum's value. Fails with `data_loss` when its text is not known.
template <class T>
[[nodiscard]] Result<T> stored(Result<T> parsed, std::string_view noun) {
  if (!parsed) return Error(reasons::damaged, {{"noun", std::string(noun)}});
  return parsed;
}

/// What an update that changed no row means: somebody was first, or the record is gone.
[[nodiscard]] inline Error missed_update(bool exists, std::string_view noun) {
  return Error(exists ? reasons::stale_revision : reasons::not_found,
               {{"noun", std::string(noun)}});
}

}  // namespace ecp::inline v0::alarm::sql_stores
