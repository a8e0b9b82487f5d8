// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the fleet's stores share: reading rows, ids as text, names to search.

#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/page.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::fleet::sql_stores {

using storage::sql::Connection;
using storage::sql::Statement;

[[nodiscard]] inline Error damaged(std::string_view noun) {
  return {ecp::reasons::damaged, {{"noun", std::string(noun)}}};
}
[[nodiscard]] inline Error not_found(std::string_view noun) {
  return {ecp::reasons::not_found, {{"noun", std::string(noun)}}};
}
[[nodiscard]] inline Error stale(std::string_view noun) {
  return {ecp::reasons::stale_revision, {{"noun", std::string(noun)}}};
}
[[nodiscard]] inline Error name_taken(std::string_view noun) {
  return {ecp::reasons::name_taken, {{"noun", std::string(noun)}, {"field", "name"}}};
}

/// The id in a column; nil when it cannot be read, which `damaged` then reports.
template <class SomeId>
[[nodiscard]] SomeId id_at(const Statement& row, int column) {
  const auto id = SomeId::parse(row.text(column));
  return id ? *id : SomeId();
}
[[nodiscard]] inline Time time_at(const Statement& row, int column) {
  return from_ms(row.integer(column));
}
[[nodiscard]] inline std::optional<Time> optional_time_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return from_ms(row.integer(column));
}

/// What names are compared by: ASCII letters folded.
[[nodiscard]] std::string name_key(std::string_view name);
/// Pattern for LIKE ... ESCAPE '!' that finds a part of a name key.
[[nodiscard]] std::string contains_pattern(std::string_view part);

/// All rows of a statement; `read` makes a Result<T> of one.
template <class T, class Read>
[[nodiscard]] Result<std::vector<T>> all_rows(Result<Statement*> statement, Read&& read) {
  if (!statement) return std::move(statement).error();
  std::vector<T> rows;
  while (true) {
    auto more = (*statement)->step();
    if (!more) return std::move(more).error();
    if (!*more) break;
    Result<T> row = read(**statement);
    if (!row) return std::move(row).error();
    rows.push_back(std::move(row).value());
  }
  (*statement)->reset();
  return rows;
}

/// The only row of a statement, or none.
template <class T, class Read>
[[nodiscard]] Result<std::optional<T>> one_row(Result<Statement*> statement, Read&& read) {
  if (!statement) return std::move(statement).error();
  auto more = (*statement)->step();
  if (!more) return std::move(more).error();
  if (!*more) return std::nullopt;
  Result<T> row = read(**statement);
  (*statement)->reset();
  if (!row) return std::move(row).error();
  return std::optional<T>(std::move(row).value());
}

/// The number that a statement counts.
[[nodiscard]] inline Result<std::int64_t> number_of(Result<Statement*> statement) {
  auto number = one_row<std::int64_t>(
      std::move(statement),
      [](const Statement& row) -> Result<std::int64_t> { return row.integer(0); });
  if (!number) return std::move(number).error();
  return number->value_or(0);
}

}  // namespace ecp::inline v0::fleet::sql_stores
