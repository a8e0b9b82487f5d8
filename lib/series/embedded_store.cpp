// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <optional>
#include <set>

#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/series/reasons.hpp>
#include <ecp/series/series_store.hpp>

#include "series/day_files.hpp"
#include "series/series_rules.hpp"

namespace ecp::inline v0::series {
namespace {

constexpr std::size_t max_cached_services = 4'000;
constexpr std::size_t max_error = 512;   // Of a bad sample: as in a sample block.
constexpr Milliseconds rest{3'600'000};  // So long nothing came for a day that is over.
constexpr int pieces_of_sealing = 500;   // Of one upkeep, so that it ends.

using Latest = std::map<std::string, Sample>;

/// What one append puts into the days it touches.
using DayParts = std::map<Day, std::vector<DayPart>>;

class EmbeddedSeries final : public SeriesStore {
 public:
  EmbeddedSeries(std::string folder, const Env& env)
      : env_(env), files_(std::move(folder), env.clock) {}

  Result<void> load() {
    ECP_TRY_VOID(files_.load());
    for (const auto day : files_.days(Time::min(), Time::max())) {
      ECP_TRY(const auto file, files_.open(day));
      ECP_TRY_VOID(file->reader().load_applied(applied_));
      ECP_TRY(const bool has_open_rows, file->reader().has_open_rows());
      if (has_open_rows) unsealed_.emplace(day, Time::min());
    }
    return {};
  }

  Result<void> begin(const SeriesKey& key, const IdBytes& agent,
                     std::string_view buffer_id) override {
    const std::lock_guard lock(write_mutex_);
    const auto made = applied_.try_emplace({key, agent, std::string(buffer_id)});
    if (!made.second) return {};
    for (auto one = applied_.lower_bound({key, agent, {}});
         one != applied_.end() && one->first.series == key && one->first.agent == agent; ++one) {
      if (one != made.first) ended_.insert(one->first);
    }
    return {};
  }

  Result<std::vector<Applied>> append(
      const std::vector<std::pair<SeriesKey, NumberedBatch>>& batches) override {
    const std::lock_guard lock(write_mutex_);
    DayParts days;
    std::map<BufferKey, NumberRanges> after;  // Of the buffers that change.
    std::vector<std::int64_t> repeated;
    for (const auto& [key, batch] : batches) {
      auto& count = repeated.emplace_back();
      if (is_ended(key, batch)) continue;
      ECP_TRY(count, split(key, batch, days, after));
    }
    for (auto& [day, parts] : days) {
      ECP_TRY(const auto file, files_.open(day));
      unsealed_[day] = env_.clock.now();
      ECP_TRY_VOID(file->append(parts));
      for (const auto& part : parts) note_stored(part);
    }
    std::vector<Applied> answers;
    for (const auto& [key, batch] : batches) {
      const auto& ranges = applied_[BufferKey{key, batch.agent, batch.buffer_id}];
      Applied answer{ranges.upto(), ranges.beyond(), repeated[answers.size()],
                     is_ended(key, batch)};
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
      return file.reader().load_samples(key, tag, from, to, limit, found);
    }));
    return found;
  }

  Result<std::vector<Point>> aggregate(const SeriesKey& key, std::string_view tag, Time from,
                                       Time to, std::size_t points) override {
    ECP_TRY(auto chart, Chart::make(from, to, points));
    ECP_TRY_VOID(files_.for_each(from, to, [&](DayFile& file) {
      return file.reader().load_chart(key, tag, from, to, chart);
    }));
    return chart.take();
  }

  Result<std::vector<Gap>> gaps(const SeriesKey& key, Time from, Time to) override {
    // A gap lies in the file of its end, so one that is over before `from` is in none of these.
    std::vector<Gap> recorded;
    ECP_TRY_VOID(files_.for_each(from, Time::max(), [&](DayFile& file) {
      return file.reader().load_gaps(key, from, to, recorded);
    }));
    std::vector<Gap> found;
    for (const auto& gap : recorded) {
      if (gap.why != "no_data") {
        found.push_back(gap);
        continue;
      }
      ECP_TRY(const auto silent, silences(key, gap));
      found.insert(found.end(), silent.begin(), silent.end());
    }
    tidy_gaps(found);
    return found;
  }

  Result<void> record_gap(const SeriesKey& key, const Gap& gap) override {
    const std::lock_guard lock(write_mutex_);
    DayPart part;
    part.buffer.series = key;
    part.gaps.push_back(gap);
    ECP_TRY(const auto file, files_.open(day_of(bounded(gap.to))));
    return file->append({part});
  }

  Result<std::int64_t> count(const SeriesKey& key) override {
    std::int64_t total = 0;
    ECP_TRY_VOID(files_.for_each(Time::min(), Time::max(), [&](DayFile& file) -> Result<void> {
      ECP_TRY(const auto here, file.reader().count(key));
      total += here;
      return {};
    }));
    return total;
  }

  Result<std::int64_t> expire(Time keep) override {
    ECP_TRY(const auto removed, remove_days(keep));
    ECP_TRY_VOID(seal_days());
    return removed;
  }

  Result<void> remove(const SeriesKey& key) override {
    const std::lock_guard lock(write_mutex_);
    ECP_TRY_VOID(
        files_.for_each(Time::min(), Time::max(), [&](DayFile& file) { return file.remove(key); }));
    std::erase_if(applied_, [&](const auto& entry) { return entry.first.series == key; });
    std::erase_if(ended_, [&](const BufferKey& buffer) { return buffer.series == key; });
    const std::lock_guard latest_lock(latest_mutex_);
    latest_.erase(key);
    return {};
  }

 private:
  [[nodiscard]] Time bounded(Time time) const { return bounded_time(time, env_.clock.now()); }

  [[nodiscard]] bool is_ended(const SeriesKey& key, const NumberedBatch& batch) const {
    return !ended_.empty() && ended_.count({key, batch.agent, batch.buffer_id}) > 0;
  }

  /// What no chunk could keep is refused before it is stored.
  static Result<void> check(const NumberedBatch& batch) {
    for (const auto& sample : batch.samples) {
      const auto* text = std::get_if<std::string>(&sample.value);
      if (text != nullptr && text->size() > limits::sample_string) return bad("a text");
      if (sample.error.size() > max_error) return bad("an error");
    }
    return {};
  }
  static Error bad(const std::string& what) {
    return {reasons::bad_block, {{"problem", what + " is too long"}}};
  }

  /// Put what is new in a batch into the days it belongs to; return how much is not.
  Result<std::int64_t> split(const SeriesKey& key, const NumberedBatch& batch, DayParts& days,
                             std::map<BufferKey, NumberRanges>& after) {
    ECP_TRY_VOID(check(batch));
    const BufferKey buffer{key, batch.agent, batch.buffer_id};
    const auto made = after.try_emplace(buffer);
    auto& ranges = made.first->second;
    if (made.second) ranges = applied_[buffer];
    const auto size = static_cast<std::int64_t>(batch.samples.size());
    const auto repeated = size - ranges.count_missing({batch.first, batch.first + size - 1});
    settle_known(batch, buffer, days, ranges);
    const auto fresh = ranges.missing({batch.first, batch.first + size - 1});
    for (const auto& range : fresh) {
      for (auto number = range.first; number <= range.second; ++number) {
        const auto& sample = batch.samples[static_cast<std::size_t>(number - batch.first)];
        const auto time = bounded(sample.time);
        auto& part = part_of(days, day_of(time), buffer);
        part.samples.push_back({number, &sample, time});
        settle(part, number);
      }
      ranges.add(range);
    }
    ECP_TRY_VOID(split_lost(batch, buffer, days, ranges));
    return repeated;
  }

  void settle_known(const NumberedBatch& batch, const BufferKey& buffer, DayParts& days,
                    NumberRanges& ranges) const {
    for (const auto& range : batch.known) {
      DayPart part;
      part.buffer = buffer;
      part.settled = ranges.missing(range);
      if (part.settled.empty()) continue;
      ranges.add(range);
      days[day_of(env_.clock.now())].push_back(std::move(part));
    }
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
          batch.samples.empty() ? env_.clock.now() : bounded(batch.samples.front().time);
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
      return file.reader().load_times(key, to - Milliseconds(1), to, times);
    }));
    auto newest = Time::min();
    for (const auto time : times) {
      if (time < to) newest = std::max(newest, time);
    }
    return newest == Time::min() ? to - Milliseconds(1) : newest;
  }

  Result<std::vector<Gap>> silences(const SeriesKey& key, const Gap& gap) {
    std::vector<Time> times;
    const Milliseconds day(day_ms);
    ECP_TRY_VOID(files_.for_each(gap.from - day, gap.to + day, [&](DayFile& file) {
      return file.reader().load_times(key, gap.from, gap.to, times);
    }));
    return silent_parts(gap, std::move(times));
  }

  static std::vector<LatestValue> listed(const Latest& values) {
    std::vector<LatestValue> list;
    list.reserve(values.size());
    for (const auto& entry : values) list.push_back({entry.second});
    return list;
  }

  /// From the newest day back, since a tag found there is not looked for in older ones.
  Result<Latest> read_latest(const SeriesKey& key) {
    Latest values;
    auto days = files_.days(Time::min(), Time::max());
    for (auto day = days.rbegin(); day != days.rend(); ++day) {
      ECP_TRY(const auto file, files_.open(*day));
      ECP_TRY_VOID(file->reader().load_latest(key, values));
    }
    return values;
  }

  Result<std::int64_t> remove_days(Time keep) {
    const std::lock_guard lock(write_mutex_);
    std::vector<Day> old;
    for (const auto day : files_.days(Time::min(), keep)) {
      if (from_ms((day + 1) * day_ms) <= keep) old.push_back(day);
    }
    if (old.empty()) return 0;
    ECP_TRY_VOID(carry_over());
    for (const auto day : old) {
      ECP_TRY_VOID(files_.remove(day));
      unsealed_.erase(day);
    }
    const std::lock_guard latest_lock(latest_mutex_);
    latest_.clear();
    return static_cast<std::int64_t>(old.size());
  }

  /// Seal what is left of the days that are over. Between two pieces others may write.
  Result<void> seal_days() {
    for (int piece = 0; piece < pieces_of_sealing; ++piece) {
      const std::lock_guard lock(write_mutex_);
      const auto day = day_to_seal();
      if (!day) return {};
      ECP_TRY(const auto file, files_.open(*day));
      ECP_TRY(const auto sealed, file->seal_some());
      if (sealed > 0) continue;
      ECP_TRY_VOID(file->compact());
      unsealed_.erase(*day);
    }
    return {};
  }

  /// The oldest day that is over, has open rows, and for which nothing comes any more.
  [[nodiscard]] std::optional<Day> day_to_seal() const {
    const auto now = env_.clock.now();
    for (const auto& [day, last_append] : unsealed_) {
      if (from_ms((day + 1) * day_ms) + rest > now) break;
      if (last_append < now - rest) return day;
    }
    return std::nullopt;
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
  std::set<BufferKey> ended_;                  ///< Others took their place. Under write_mutex_.
  std::map<Day, Time> unsealed_;               ///< Their last appends. Under write_mutex_.
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
