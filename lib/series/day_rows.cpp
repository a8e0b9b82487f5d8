// SPDX-License-Identifier: Apache-2.0
#include "series/day_rows.hpp"

#include <algorithm>
#include <limits>

#include "series/form.hpp"

namespace ecp::inline v0::series::day {

using storage::sql::Blob;
using storage::sql::Parameter;
using storage::sql::Statement;

IdBytes id_of(BytesView octets) {
  IdBytes id{};
  std::copy_n(octets.begin(), std::min(octets.size(), id.size()), id.begin());
  return id;
}

std::int64_t form_column(const Sample& sample) { return without_error(form_of(sample)); }

Parameter value_column(const Sample& sample) {
  if (sample.quality == Quality::bad) return storage::sql::Null{};
  if (const auto* flag = std::get_if<bool>(&sample.value)) return storage::sql::parameter(*flag);
  if (const auto* whole = std::get_if<std::int64_t>(&sample.value)) return *whole;
  if (const auto* real = std::get_if<double>(&sample.value)) return *real;
  return Blob{std::get<std::string>(sample.value)};  // May hold any octets.
}

Sample read_row(const Statement& row, std::string_view tag) {
  Sample sample;
  sample.tag = tag;
  sample.time = from_ms(row.integer(0));
  const auto form = static_cast<std::uint8_t>(row.integer(1));
  sample.quality = quality_in(form);
  sample.late = is_late(form);
  if (!row.is_null(3)) sample.error = row.text(3);
  if (sample.quality == Quality::bad) return sample;
  switch (type_in(form)) {
    case ValueType::boolean:
      sample.value = row.integer(2) != 0;
      break;
    case ValueType::whole:
      sample.value = row.integer(2);
      break;
    case ValueType::real:
      sample.value = row.is_null(2) ? std::numeric_limits<double>::quiet_NaN() : row.real(2);
      break;
    default:
      sample.value = std::string(row.blob(2));
  }
  return sample;
}

}  // namespace ecp::inline v0::series::day
