// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <chrono>

#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/series/reasons.hpp>
#include <ecp/series/series_store.hpp>

#include "series/day_files.hpp"

namespace ecp::inline v0::series {
namespace {

constexpr std::size_t max_cached_services = 4'000;
constexpr std::size_t max_ranges_told = 100;
constexpr std::int64_t oldest_days = 400;  // A sample that claims to be older has a wrong clock.
constexpr std::int64_t future_ms = 2 * day_ms;
constexpr Milliseconds least_gap{3'000};

using Latest = std::map<std::string, Sample>;

/// What one append puts into the days it touches.
using DayParts = std::map<Day, std::vector<DayPart>>;

class EmbeddedSeries final : public SeriesStore {
 public:
  EmbeddedSeries(std::string folder, const Env& env)
      : env_(env), files_(std::move(folder), env.clock) {}

  Result<void> load() {
    ECP_TRY_VOID(files_.load());
    return files_.for_each(Time::min(), Time::max(),
                           [&](DayFile& file) { return file.load_applied(applied_); });
  }

  Result<std::vector<Applied>> append(
      const std::vector<std::pair<SeriesKey, NumberedBatch>>& batches) override {
    const std::lock_guard lock(write_mutex_);
    DayParts days;
    std::map<BufferKey, NumberRanges> after;  // Of the buffers that change.
    for (const auto& [key, batch] : batches) ECP_TRY_VOID(split(key, batch, days, after));
    for (auto& [day, parts] : days) {
      ECP_TRY(const auto file, files_.open(day));
      ECP_TRY_VOID(file->append(parts));
      for (const auto& part : parts) note_stored(part);
    }
    std::vector<Applied> answers;
    for (const auto& [key, batch] : batches) {
      const auto& ranges = applied_[BufferKey{key, batch.agent, batch.buffer_id}];
      Applied answer{ranges.upto(), ranges.beyond()};
      if (answer.ranges.size() > max_ranges_told) answer.ranges.resize(max_ranges_told);
      answers.push_back(std::move(answer));
    }
    return answers;
  }

  Result<std::vector<LatestValue>> latest(const SeriesKey& key) override {
    {
      const std::lock_guard lock(latest_mutex_);
      if (const auto known = latest_.find(key); known != latest_.end())
        return listed(known->second);
    }
    const std::lock_guard write_lock(write_mutex_);  // Nothing is added while the cache is filled.
    ECP_TRY(auto values, read_latest(key));
    const std::lock_guard lock(latest_mutex_);
    if (latest_.size() >= max_cached_services) latest_.clear();
    return listed(latest_[key] = std::move(values));
  }

  Result<std::vector<Sample>> samples(const SeriesKey& key, std::string_view tag, Time from,
                                      Time to, std::size_t limit) override {
    std::vector<Sample> found;
    ECP_TRY_VOID(files_.for_each(from, to, [&](DayFile& file) {
      return file.load_samples(key, tag, from, to, limit, found);
    }));
    return found;
  }

  Result<std::vector<Point>> aggregate(const SeriesKey& key, std::string_view tag, Time from,
                                       Time to, std::size_t points) override {
    if (from >= to || points == 0 || points > limits::history_points) return reasons::bad_range;
    std::vector<Point> chart(points);
    const auto span = static_cast<double>((to - from).count());
    for (std::size_t i = 0; i < points; ++i) {
      const auto part = static_cast<double>(i) / static_cast<double>(points);
      chart[i].from = from + Milliseconds(static_cast<std::int64_t>(span * part));
    }
    ECP_TRY_VOID(files_.for_each(
        from, to, [&](DayFile& file) { return file.aggregate(key, tag, from, to, chart); }));
    for (auto& point : chart) {
      if (point.count > 0) point.mean /= static_cast<double>(point.count);
    }
    return chart;
  }

  Result<std::vector<Gap>> gaps(const SeriesKey& key, Time from, Time to) override {
    // A gap lies in the file of its end, so one that is over before `from` is in none of these.
    std::vector<Gap> recorded;
    ECP_TRY_VOID(files_.for_each(
        from, Time::max(), [&](DayFile& file) { return file.load_gaps(key, from, to, recorded); }));
    std::vector<Gap> found;
    for (const auto& gap : recorded) {
      if (gap.why != "no_data") {
        found.push_back(gap);
        continue;
      }
      ECP_TRY(const auto silent, silences(key, gap));
      found.insert(found.end(), silent.begin(), silent.end());
    }
    std::sort(found.begin(), found.end(), [](const Gap& a, const Gap& b) {
      return std::tie(a.from, a.to, a.why) < std::tie(b.from, b.to, b.why);
    });
    const auto same = [](const Gap& a, const Gap& b) {
      return a.from == b.from && a.to == b.to && a.why == b.why;
    };
    found.erase(std::unique(found.begin(), found.end(), same), found.end());
    return found;
  }

  Result<void> record_gap(const SeriesKey& key, const Gap& gap) override {
    const std::lock_guard lock(write_mutex_);
    DayPart part;
    part.buffer.series = key;
    part.gaps.push_back(gap);
    ECP_TRY(const auto file, files_.open(day_of(bounded(gap.to).first)));
    return file->append({part});
  }

  Result<std::int64_t> count(const SeriesKey& key) override {
    std::int64_t total = 0;
    ECP_TRY_VOID(files_.for_each(Time::min(), Time::max(), [&](DayFile& file) -> Result<void> {
      ECP_TRY(const auto here, file.count(key));
      total += here;
      return {};
    }));
    return total;
  }

  Result<std::int64_t> expire(Time keep) override {
    const std::lock_guard lock(write_mutex_);
    std::vector<Day> old;
    for (const auto day : files_.days(Time::min(), keep)) {
      if (from_ms((day + 1) * day_ms) <= keep) old.push_back(day);
    }
    if (old.empty()) return 0;
    ECP_TRY_VOID(carry_over());
    for (const auto day : old) ECP_TRY_VOID(files_.remove(day));
    const std::lock_guard latest_lock(latest_mutex_);
    latest_.clear();
    return static_cast<std::int64_t>(old.size());
  }

  Result<void> remove(const SeriesKey& key) override {
    const std::lock_guard lock(write_mutex_);
    ECP_TRY_VOID(
        files_.for_each(Time::min(), Time::max(), [&](DayFile& file) { return file.remove(key); }));
    for (auto entry = applied_.begin(); entry != applied_.end();) {
      entry = entry->first.series == key ? applied_.erase(entry) : std::next(entry);
    }
    const std::lock_guard latest_lock(latest_mutex_);
    latest_.erase(key);
    return {};
  }

 private:
  /// A sample's time, or ours and false when it cannot be true.
  [[nodiscard]] std::pair<Time, bool> bounded(Time time) const {
    const auto now = env_.clock.now();
    if (time > now + Milliseconds(future_ms)) return {now, false};
    if (time < now - Milliseconds(oldest_days * day_ms)) return {now, false};
    return {time, true};
  }

  /// Put what is new in a batch into the days it belongs to.
  Result<void> split(const SeriesKey& key, const NumberedBatch& batch, DayParts& days,
                     std::map<BufferKey, NumberRanges>& after) {
    const BufferKey buffer{key, batch.agent, batch.buffer_id};
    const auto made = after.try_emplace(buffer);
    auto& ranges = made.first->second;
    if (made.second) ranges = applied_[buffer];
    const auto size = static_cast<std::int64_t>(batch.samples.size());
    const auto fresh = ranges.missing({batch.first, batch.first + size - 1});
    for (const auto& range : fresh) {
      for (auto number = range.first; number <= range.second; ++number) {
        const auto& sample = batch.samples[static_cast<std::size_t>(number - batch.first)];
        const auto time = bounded(sample.time).first;
        auto& part = part_of(days, day_of(time), buffer);
        part.samples.push_back({number, &sample, time});
        settle(part, number);
      }
      ranges.add(range);
    }
    return split_lost(batch, buffer, days, ranges);
  }

  /// Numbers that will never arrive: settled, and shown as a gap that ends where the batch begins.
  Result<void> split_lost(const NumberedBatch& batch, const BufferKey& buffer, DayParts& days,
                          NumberRanges& ranges) {
    auto lost = batch.dropped;
    if (batch.floor > 1) lost.emplace_back(1, batch.floor - 1);
    for (const auto& range : lost) {
      std::int64_t samples = 0;
      DayPart part;
      part.buffer = buffer;
      for (const auto& missing : ranges.missing(range)) {
        part.settled.push_back(missing);
        samples += missing.second - missing.first + 1;
      }
      if (samples == 0) continue;
      ranges.add(range);
      const auto to =
          batch.samples.empty() ? env_.clock.now() : bounded(batch.samples.front().time).first;
      ECP_TRY(const auto from, newest_before(buffer.series, to));
      part.gaps.push_back({from, to, samples, "buffer_full"});
      days[day_of(to)].push_back(std::move(part));
    }
    return {};
  }

  static DayPart& part_of(DayParts& days, Day day, const BufferKey& buffer) {
    auto& parts = days[day];
    if (parts.empty() || parts.back().buffer != buffer) {
      parts.emplace_back();
      parts.back().buffer = buffer;
    }
    return parts.back();
  }

  static void settle(DayPart& part, std::int64_t number) {
    if (!part.settled.empty() && part.settled.back().second + 1 == number) {
      part.settled.back().second = number;
    } else {
      part.settled.emplace_back(number, number);
    }
  }

  /// The part is durable: remember it.
  void note_stored(const DayPart& part) {
    auto& ranges = applied_[part.buffer];
    for (const auto& range : part.settled) ranges.add(range);
    const std::lock_guard lock(latest_mutex_);
    const auto known = latest_.find(part.buffer.series);
    if (known == latest_.end()) return;
    for (const auto& [number, sample, time] : part.samples) {
      auto& newest = known->second[sample->tag];
      if (!newest.tag.empty() && newest.time > time) continue;
      newest = *sample;
      newest.time = time;
    }
  }

  /// Time of the newest stored sample of a service before `to`.
  Result<Time> newest_before(const SeriesKey& key, Time to) {
    std::vector<Time> times;
    ECP_TRY_VOID(files_.for_each(to - Milliseconds(day_ms), to, [&](DayFile& file) {
      return file.load_times(key, to - Milliseconds(1), to, times);
    }));
    auto newest = Time::min();
    for (const auto time : times) {
      if (time < to) newest = std::max(newest, time);
    }
    return newest == Time::min() ? to - Milliseconds(1) : newest;
  }

  /// The stretches of a recorded silence in which there really are no samples: what was buffered
  /// meanwhile has arrived.
  Result<std::vector<Gap>> silences(const SeriesKey& key, const Gap& gap) {
    std::vector<Time> times;
    const Milliseconds day(day_ms);
    ECP_TRY_VOID(files_.for_each(gap.from - day, gap.to + day, [&](DayFile& file) {
      return file.load_times(key, gap.from, gap.to, times);
    }));
    if (times.empty()) return std::vector<Gap>{gap};
    std::sort(times.begin(), times.end());
    const auto least = std::max(least_gap, (gap.to - gap.from) / 2);
    std::vector<Gap> found;
    const auto consider = [&](Time from, Time to) {
      if (to - from >= least && from < gap.to && to > gap.from) {
        found.push_back({from, to, 0, gap.why});
      }
    };
    if (times.front() > gap.from) consider(gap.from, times.front());
    for (std::size_t i = 1; i < times.size(); ++i) consider(times[i - 1], times[i]);
    if (times.back() < gap.to) consider(times.back(), gap.to);
    return found;
  }

  static std::vector<LatestValue> listed(const Latest& values) {
    std::vector<LatestValue> list;
    list.reserve(values.size());
    for (const auto& entry : values) list.push_back({entry.second});
    return list;
  }

  Result<Latest> read_latest(const SeriesKey& key) {
    Latest values;
    ECP_TRY_VOID(files_.for_each(Time::min(), Time::max(),
                                 [&](DayFile& file) { return file.load_latest(key, values); }));
    return values;
  }

  /// Before old days go: write what is applied into today's file, so that it stays known.
  Result<void> carry_over() {
    std::vector<DayPart> parts;
    for (const auto& [buffer, ranges] : applied_) {
      DayPart part;
      part.buffer = buffer;
      part.settled = ranges.all();
      parts.push_back(std::move(part));
    }
    ECP_TRY(const auto file, files_.open(day_of(env_.clock.now())));
    return file->append(parts);
  }

  Env env_;
  DayFiles files_;
  std::mutex write_mutex_;                     ///< Outermost: appends and all other changes.
  std::map<BufferKey, NumberRanges> applied_;  ///< Under write_mutex_.
  std::mutex latest_mutex_;
  std::map<SeriesKey, Latest> latest_;
};

}  // namespace

SeriesStore::~SeriesStore() = default;

Result<std::unique_ptr<SeriesStore>> open_embedded_series(const std::string& folder,
                                                          const Env& env) {
  ECP_TRY_VOID(make_private_folder(folder));
  auto store = std::make_unique<EmbeddedSeries>(folder, env);
  ECP_TRY_VOID(store->load());
  return store;
}

}  // namespace ecp::inline v0::series
