// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One UTC day of samples in one SQLite file.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/sqlite.hpp>

#include "series/number_ranges.hpp"

namespace ecp::inline v0::series {

/// Which numbers belong together: those of one buffer and service.
struct BufferKey {
  SeriesKey series;
  IdBytes agent{};
  std::string buffer_id;
  friend auto operator<=>(const BufferKey&, const BufferKey&) = default;
};

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

/// The tables of one day. Writers and readers have a connection each.
///
/// Thread safety: writing members from one thread at a time; reading ones from any.
class DayFile {
 public:
  /// Open or make the file. Fails with `data_loss` when it is damaged.
  static Result<std::shared_ptr<DayFile>> open(const std::string& path, const Clock& clock);

  /// Store parts in one durable transaction.
  Result<void> append(const std::vector<DayPart>& parts);
  Result<void> remove(const SeriesKey& key);

  Result<void> load_applied(std::map<BufferKey, NumberRanges>& into);
  Result<void> load_latest(const SeriesKey& key, std::map<std::string, Sample>& into);
  Result<void> load_samples(const SeriesKey& key, std::string_view tag, Time from, Time to,
                            std::size_t limit, std::vector<Sample>& into);
  /// Add good numeric samples in [from, to) to `points`, equal intervals of that range.
  Result<void> aggregate(const SeriesKey& key, std::string_view tag, Time from, Time to,
                         std::vector<Point>& points);
  Result<void> load_gaps(const SeriesKey& key, Time from, Time to, std::vector<Gap>& into);
  Result<std::int64_t> count(const SeriesKey& key);
  /// Times at which a service has samples: the last at or before `from`, the first at or after
  /// `to`, and those between of at most three tags.
  Result<void> load_times(const SeriesKey& key, Time from, Time to, std::vector<Time>& into);

 private:
  using Connection = storage::sql::Connection;
  explicit DayFile(std::unique_ptr<storage::sql::Driver> driver) : driver_(std::move(driver)) {}
  Result<void> append_part(const DayPart& part);
  Result<void> insert_samples(const DayPart& part, std::int64_t buffer);
  Result<std::int64_t> tag_id(const SeriesKey& key, const std::string& tag);
  Result<std::int64_t> buffer_id(const BufferKey& key);
  Result<std::vector<std::int64_t>> tag_ids(const SeriesKey& key);
  template <class Unit>
  Result<void> in_transaction(Unit&& unit);

  std::unique_ptr<storage::sql::Driver> driver_;
  std::unique_ptr<Connection> writer_;
  std::map<SeriesKey, std::unordered_map<std::string, std::int64_t>> tags_;  ///< Of the writer.
  std::mutex reader_mutex_;
  std::unique_ptr<Connection> reader_;
};

}  // namespace ecp::inline v0::series
