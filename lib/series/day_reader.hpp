// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What is asked of a day file.

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <ecp/series/series_store.hpp>
#include <ecp/storage/sql/driver.hpp>

#include "series/number_ranges.hpp"
#include "series/series_rules.hpp"

namespace ecp::inline v0::series {

/// Which numbers belong together: those of one buffer and service.
struct BufferKey {
  SeriesKey series;
  IdBytes agent{};
  std::string buffer_id;
  friend auto operator<=>(const BufferKey&, const BufferKey&) = default;
};

/// A reading connection. Each member sees the file as of one moment: a sample that is sealed
/// meanwhile is found as open row or in its chunk, never in both or neither.
///
/// Thread safety: any thread.
class DayReader {
 public:
  explicit DayReader(std::unique_ptr<storage::sql::Connection> connection)
      : connection_(std::move(connection)) {}

  Result<void> load_applied(std::map<BufferKey, NumberRanges>& into);
  /// Of the tags that have none yet.
  Result<void> load_latest(const SeriesKey& key, std::map<std::string, Sample>& into);
  /// Add samples in [from, to), the oldest first, until there are `limit`.
  Result<void> load_samples(const SeriesKey& key, std::string_view tag, Time from, Time to,
                            std::size_t limit, std::vector<Sample>& into);
  /// Add the numbers of [from, to).
  Result<void> load_chart(const SeriesKey& key, std::string_view tag, Time from, Time to,
                          Chart& chart);
  Result<void> load_gaps(const SeriesKey& key, Time from, Time to, std::vector<Gap>& into);
  Result<std::int64_t> count(const SeriesKey& key);
  /// Times at which a service has samples: the last at or before `from`, the first at or after
  /// `to`, and those between of at most three tags.
  Result<void> load_times(const SeriesKey& key, Time from, Time to, std::vector<Time>& into);
  /// Whether any sample is not in a chunk.
  Result<bool> has_open_rows();

 private:
  template <class Unit>
  Result<void> in_snapshot(Unit&& unit);

  std::mutex mutex_;
  std::unique_ptr<storage::sql::Connection> connection_;
};

}  // namespace ecp::inline v0::series
