// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Port of values over time.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/result.hpp>
#include <ecp/series/sample.hpp>

namespace ecp::inline v0::series {

/// Which series: the project and the edge service (both as raw ids), so that no query can cross.
struct SeriesKey {
  IdBytes project{};
  IdBytes service{};
  friend auto operator<=>(const SeriesKey&, const SeriesKey&) = default;
};

/// Samples of one buffer with consecutive numbers.
struct NumberedBatch {
  IdBytes agent{};
  std::string buffer_id;
  std::int64_t first = 0;
  std::vector<Sample> samples;  ///< Number of samples[i] is first + i.
  std::vector<std::pair<std::int64_t, std::int64_t>> dropped;  ///< Stored as visible gaps.
  std::int64_t floor = 0;
  /// Numbers of samples that are stored under another number already: settled, not stored.
  std::vector<std::pair<std::int64_t, std::int64_t>> known;
};

/// What is durably stored of one buffer and series.
struct Applied {
  std::int64_t upto = 0;  ///< Every number up to here is stored or settled.
  std::vector<std::pair<std::int64_t, std::int64_t>> ranges;  ///< And these beyond.
  /// How many numbers of the batch's samples were stored or settled before it, perhaps for others.
  std::int64_t repeated = 0;
  bool is_ended = false;  ///< Another buffer has taken its place: nothing of the batch was stored.
};

/// Newest sample of a tag.
struct LatestValue {
  Sample sample;
};

/// One point of a chart: an interval's aggregate. Only good numeric samples count.
struct Point {
  Time from;
  double min = 0;
  double max = 0;
  double mean = 0;
  double first = 0;
  double last = 0;
  std::int64_t count = 0;  ///< 0: no data in the interval; the numbers mean nothing.
  std::int64_t late = 0;   ///< How many of them came late, from the backlog after a cut.
};

/// A stretch in which samples were lost or the agent was dead.
struct Gap {
  Time from;
  Time to;
  std::int64_t samples = 0;  ///< Known number of lost samples; 0 when not known.
  std::string why;           ///< "buffer_full", "no_data".
};

/// Keeps samples, their latest values and history.
///
/// Transactions: its own, durable when `append` returns; never part of the control database's.
/// Thread safety: any thread; calls block.
/// Errors: `unavailable` when the disk or server cannot take it, `data_loss` for a damaged file.
class ECP_EXPORT SeriesStore {
 public:
  virtual ~SeriesStore();
  /// A buffer of which nothing is stored yet takes the place of its agent's others: from now on
  /// nothing is stored under these, not even by an append that is under way in another replica, so
  /// that what is read next stays all there is of them. A buffer known already ends none. Forgotten
  /// with the process where no other one can be storing.
  virtual Result<void> begin(const SeriesKey& key, const IdBytes& agent,
                             std::string_view buffer_id) = 0;
  /// Store several batches at once, durably, each sample once by (tag, time, buffer_id, number);
  /// return what is applied per batch, in their order. A repeated batch changes nothing.
  virtual Result<std::vector<Applied>> append(
      const std::vector<std::pair<SeriesKey, NumberedBatch>>& batches) = 0;
  /// Newest sample of every tag of a service, ordered by tag.
  virtual Result<std::vector<LatestValue>> latest(const SeriesKey& key) = 0;
  /// Raw samples of a tag in [from, to), oldest first, at most `limit`.
  virtual Result<std::vector<Sample>> samples(const SeriesKey& key, std::string_view tag, Time from,
                                              Time to, std::size_t limit) = 0;
  /// `points` equal intervals over [from, to), oldest first, empty ones included.
  virtual Result<std::vector<Point>> aggregate(const SeriesKey& key, std::string_view tag,
                                               Time from, Time to, std::size_t points) = 0;
  /// Gaps of a service in [from, to).
  virtual Result<std::vector<Gap>> gaps(const SeriesKey& key, Time from, Time to) = 0;
  /// Record a stretch without data.
  virtual Result<void> record_gap(const SeriesKey& key, const Gap& gap) = 0;
  /// Number of stored samples of a service, for checks.
  virtual Result<std::int64_t> count(const SeriesKey& key) = 0;
  /// Remove whole days older than `keep`, and tidy what stays; return how many files went.
  virtual Result<std::int64_t> expire(Time keep) = 0;
  /// Remove everything of a service.
  virtual Result<void> remove(const SeriesKey& key) = 0;
};

/// Series in SQLite files, one per UTC day, in a folder.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<SeriesStore>> open_embedded_series(
    const std::string& folder, const Env& env);

}  // namespace ecp::inline v0::series
