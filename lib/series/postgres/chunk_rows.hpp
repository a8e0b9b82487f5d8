// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Rows of samples in PostgreSQL: one for a tag and some samples of one hour. A row is written once
/// and never changed; small ones of past hours are replaced by one together.

#include <cstdint>
#include <functional>
#include <vector>

#include <ecp/series/sample.hpp>
#include <ecp/storage/sql/driver.hpp>

#include "series/chunk.hpp"
#include "series/series_rules.hpp"

namespace ecp::inline v0::series::postgres {

using storage::sql::Connection;

struct ChunkRow {
  std::int64_t tag = 0;
  Time since;
  Time until;  ///< Time of the last sample.
  std::int64_t samples = 0;
  Bytes body;            ///< A chunk.
  bool is_whole = true;  ///< False: only the front of the body was read.
};

/// The samples of one tag as rows, by time: each of one hour and a bounded number of samples.
[[nodiscard]] Result<std::vector<ChunkRow>> chunk_up(std::int64_t tag, std::vector<Sample> samples);

/// Insert rows in one statement. `merged` ones are as good as they get.
[[nodiscard]] Result<void> insert_chunks(Connection& connection, const std::vector<ChunkRow>& rows,
                                         bool merged);

/// Which rows of a tag to read.
struct ChunkRange {
  std::int64_t tag = 0;
  Time from;
  Time to;  ///< Not included.
  /// Read no more than the front of a row that lies in one of so many equal intervals; 0: never.
  std::int64_t intervals = 0;
};

/// Visit the rows that may hold samples of a range, by their beginning, some hundred at a time.
/// The visitor ends the reading by answering false.
[[nodiscard]] Result<void> read_chunks(Connection& connection, const ChunkRange& range,
                                       const std::function<Result<bool>(ChunkRow&)>& visit);

/// Octets of an id as SQL takes them.
[[nodiscard]] inline storage::sql::Blob blob(const IdBytes& id) {
  return {{reinterpret_cast<const char*>(id.data()), id.size()}};
}

}  // namespace ecp::inline v0::series::postgres
