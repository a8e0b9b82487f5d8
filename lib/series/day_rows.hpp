// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the tables of a day file have in common: ids as octets, and samples as open rows.

#include <utility>

#include <ecp/core/id.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/core/result.hpp>
#include <ecp/series/sample.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::series::day {

[[nodiscard]] inline storage::sql::Blob blob(const IdBytes& id) {
  return {{reinterpret_cast<const char*>(id.data()), id.size()}};
}
[[nodiscard]] IdBytes id_of(BytesView octets);

/// The columns form and value of a sample. A bad one has no value, and NaN is NULL.
[[nodiscard]] std::int64_t form_column(const Sample& sample);
[[nodiscard]] storage::sql::Parameter value_column(const Sample& sample);

/// The sample of a row whose first columns are time, form, value, error.
[[nodiscard]] Sample read_row(const storage::sql::Statement& row, std::string_view tag);

/// What was read of a chunk. One that cannot be read is a damaged file, not a wrong question.
template <class Content>
[[nodiscard]] Result<Content> stored(Result<Content> read) {
  if (!read) return Error(ecp::reasons::damaged, {{"noun", "chunk of samples"}});
  return read;
}

}  // namespace ecp::inline v0::series::day
