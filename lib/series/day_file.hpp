// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One UTC day of samples in one SQLite file.

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/sqlite.hpp>

#include "series/day_reader.hpp"
#include "series/number_ranges.hpp"

namespace ecp::inline v0::series {

/// What one transaction of one file gets of one batch.
struct DayPart {
  struct Numbered {
    std::int64_t number;
    const Sample* sample;
    Time time;  ///< May differ from the sample's when that lies out of all bounds.
  };
  BufferKey buffer;
  std::vector<Numbered> samples;
  std::vector<NumberRange> settled;  ///< Of the samples, and those that never arrived.
  std::vector<Gap> gaps;
};

/// The tables of one day. A sample comes in as an open row, and is sealed with others of its tag
/// into a chunk.
///
/// Thread safety: writing members from one thread at a time; `reader` from any.
class DayFile {
 public:
  /// Open or make the file; one of an older form becomes one of ours. Fails with `data_loss` when
  /// it is damaged, with `failed_precondition` (series.newer_file) when it is newer than we are.
  static Result<std::shared_ptr<DayFile>> open(const std::string& path, const Clock& clock);

  /// Store parts in one durable transaction, which also seals what has become enough for a chunk.
  Result<void> append(const std::vector<DayPart>& parts);
  Result<void> remove(const SeriesKey& key);

  /// Seal a bounded number of open rows, durably; return how many there were.
  Result<std::int64_t> seal_some();
  /// Make the file as small as its content, when that is worth it, and let go of what only writing
  /// needs: the day is over.
  Result<void> compact();

  [[nodiscard]] DayReader& reader() noexcept { return *reader_; }

 private:
  using Connection = storage::sql::Connection;
  /// What the writer knows of a tag.
  struct Tag {
    std::int64_t id = 0;
    std::int64_t open_rows = 0;
  };
  explicit DayFile(std::unique_ptr<storage::sql::Driver> driver) : driver_(std::move(driver)) {}
  Result<void> append_part(const DayPart& part);
  Result<void> insert_samples(const DayPart& part, std::int64_t buffer);
  Result<void> seal_full(std::size_t appended);
  Result<Tag*> find_tag(const SeriesKey& key, const std::string& tag);
  Result<std::int64_t> buffer_id(const BufferKey& key);
  void forget_tags();
  Result<void> need_writer();
  template <class Unit>
  Result<void> in_transaction(Unit&& unit);

  std::unique_ptr<storage::sql::Driver> driver_;
  std::unique_ptr<Connection> writer_;  ///< Made when first needed.
  std::map<SeriesKey, std::unordered_map<std::string, Tag>> tags_;
  std::vector<Tag*> full_;  ///< Of `tags_`: those that have enough open rows for a chunk.
  std::unique_ptr<DayReader> reader_;
};

}  // namespace ecp::inline v0::series
