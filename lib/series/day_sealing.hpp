// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Putting the open rows of a day file into chunks. All of it runs in a transaction of the caller,
/// so that a crash leaves either the rows or their chunks.

#include <cstdint>

#include <ecp/core/result.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::series::day {

/// A tag with so many open rows is sealed by the append that brought the last of them.
inline constexpr std::int64_t rows_to_seal = 600;

/// Put the oldest open rows of a tag into chunks, some thousand at most; return how many. Few rows
/// are put together with what small chunks the tag has.
[[nodiscard]] Result<std::int64_t> seal_tag(storage::sql::Connection& writer, std::int64_t tag);

/// Seal the open rows of some tags, a bounded number; return how many there were.
[[nodiscard]] Result<std::int64_t> seal_some(storage::sql::Connection& writer);

/// Give back the room that sealed rows have left, if it is much and the rest is not too much to be
/// copied. Outside of a transaction.
[[nodiscard]] Result<void> compact(storage::sql::Connection& writer);

}  // namespace ecp::inline v0::series::day
