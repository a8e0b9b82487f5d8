// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reading rows into values; private to the SQL stores.

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/core/id.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::storage::sql {

/// The form in which names are compared, sorted and kept unique: ASCII letters in lower case.
[[nodiscard]] inline std::string name_key(std::string_view name) {
  std::string key(name);
  for (char& letter : key) {
    if (letter >= 'A' && letter <= 'Z') letter = static_cast<char>(letter - 'A' + 'a');
  }
  return key;
}

[[nodiscard]] inline std::string text_at(const Statement& row, int column) {
  return std::string(row.text(column));
}
[[nodiscard]] inline Time time_at(const Statement& row, int column) {
  return from_ms(row.integer(column));
}
[[nodiscard]] inline std::optional<Time> optional_time_at(const Statement& row, int column) {
  if (row.is_null(column)) return std::nullopt;
  return time_at(row, column);
}

/// Id in a column; "" is nil. Fails with `data_loss` when it is none of this kind.
template <class SomeId>
[[nodiscard]] Result<SomeId> id_at(const Statement& row, int column) {
  if (row.text(column).empty()) return SomeId{};
  auto id = SomeId::parse(row.text(column));
  if (!id) return Error(ecp::reasons::damaged, {{"noun", "id"}});
  return id;
}

/// Text of an id; "" for nil.
template <class SomeId>
[[nodiscard]] std::string text_of(SomeId id) {
  return id.is_nil() ? std::string() : id.to_string();
}

/// All rows of a bound statement, each made by `read(const Statement&) -> Result<T>`.
template <class T, class Read>
[[nodiscard]] Result<std::vector<T>> all_rows(Result<Statement*> bound, Read&& read) {
  if (!bound) return std::move(bound).error();
  Statement& row = **bound;
  std::vector<T> items;
  for (;;) {
    auto more = row.step();
    if (!more || !*more) {
      row.reset();
      if (!more) return std::move(more).error();
      return items;
    }
    Result<T> item = read(std::as_const(row));
    if (!item) {
      row.reset();
      return std::move(item).error();
    }
    items.push_back(std::move(item).value());
  }
}

/// The first row of a bound statement, or none.
template <class T, class Read>
[[nodiscard]] Result<std::optional<T>> first_row(Result<Statement*> bound, Read&& read) {
  if (!bound) return std::move(bound).error();
  Statement& row = **bound;
  auto found = row.step();
  std::optional<T> item;
  std::optional<Error> problem;
  if (!found) {
    problem = std::move(found).error();
  } else if (*found) {
    Result<T> made = read(std::as_const(row));
    if (made) {
      item.emplace(std::move(made).value());
    } else {
      problem = std::move(made).error();
    }
  }
  row.reset();
  if (problem) return std::move(*problem);
  return item;
}

/// The number in the first column of the only row, such as a count.
[[nodiscard]] inline Result<std::int64_t> number_of(Result<Statement*> bound) {
  auto number = first_row<std::int64_t>(
      std::move(bound),
      [](const Statement& row) -> Result<std::int64_t> { return row.integer(0); });
  if (!number) return std::move(number).error();
  return number->value_or(0);
}

}  // namespace ecp::inline v0::storage::sql
