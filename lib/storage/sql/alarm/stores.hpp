// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of alarm's SQL stores, and what they share.

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/reasons.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::alarm::sql_stores {

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

/// Text of an id, "" for nil.
template <class SomeId>
[[nodiscard]] std::string id_text(SomeId id) {
  return id.is_nil() ? std::string() : id.to_string();
}

/// The id of a stored text; nil for "". Fails with `data_loss`.
template <class SomeId>
[[nodiscard]] Result<SomeId> stored_id(std::string_view text, std::string_view noun) {
  if (text.empty()) return SomeId();
  auto id = SomeId::parse(text);
  if (!id) return Error(reasons::damaged, {{"noun", std::string(noun)}});
  return *id;
}

/// A stored enum's value. Fails with `data_loss` when its text is not known.
template <class T>
[[nodiscard]] Result<T> stored(Result<T> parsed, std::string_view noun) {
  if (!parsed) return Error(reasons::damaged, {{"noun", std::string(noun)}});
  return parsed;
}

/// Rows of a statement, each read by `read`.
template <class T, class Read>
[[nodiscard]] Result<std::vector<T>> read_all(storage::sql::Statement& statement, Read&& read) {
  std::vector<T> items;
  for (;;) {
    auto row = statement.step();
    if (!row) return std::move(row).error();
    if (!*row) return items;
    auto item = read(statement);
    if (!item) return std::move(item).error();
    items.push_back(std::move(*item));
  }
}

/// The single row of a statement, or none.
template <class T, class Read>
[[nodiscard]] Result<std::optional<T>> read_one(storage::sql::Statement& statement, Read&& read) {
  auto items = read_all<T>(statement, read);
  if (!items) return std::move(items).error();
  if (items->empty()) return std::nullopt;
  return std::optional<T>(std::move(items->front()));
}

/// The number in the single row of a statement.
[[nodiscard]] inline Result<std::int64_t> read_number(storage::sql::Statement& statement) {
  auto row = statement.step();
  if (!row) return std::move(row).error();
  return *row ? statement.integer(0) : std::int64_t{0};
}

/// What an update that changed no row means: somebody was first, or the record is gone.
[[nodiscard]] inline Error missed_update(bool exists, std::string_view noun) {
  return Error(exists ? reasons::stale_revision : reasons::not_found,
               {{"noun", std::string(noun)}});
}

}  // namespace ecp::inline v0::alarm::sql_stores
