// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What the tables of a day file have in common: ids as octets, and samples as open rows.

#include <ecp/core/id.hpp>
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

}  // namespace ecp::inline v0::series::day
