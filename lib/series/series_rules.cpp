// SPDX-License-Identifier: Apache-2.0
#include "series/series_rules.hpp"

#include <algorithm>
#include <tuple>

#include <ecp/core/limits.hpp>
#include <ecp/series/reasons.hpp>

namespace ecp::inline v0::series {
namespace {

constexpr Milliseconds oldest = 400 * day_length;  // What claims to be older has a wrong clock.
constexpr Milliseconds furthest = 2 * day_length;
constexpr Milliseconds least_gap{3'000};

}  // namespace

Time bounded_time(Time claimed, Time now) {
  return claimed > now + furthest || claimed < now - oldest ? now : claimed;
}

std::vector<Gap> silent_parts(const Gap& gap, std::vector<Time> times) {
  if (times.empty()) return {gap};
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

void tidy_gaps(std::vector<Gap>& gaps) {
  const auto key = [](const Gap& gap) { return std::tie(gap.from, gap.to, gap.why); };
  std::sort(gaps.begin(), gaps.end(),
            [&](const Gap& left, const Gap& right) { return key(left) < key(right); });
  const auto same = [&](const Gap& left, const Gap& right) { return key(left) == key(right); };
  gaps.erase(std::unique(gaps.begin(), gaps.end(), same), gaps.end());
}

Result<Chart> Chart::make(Time from, Time to, std::size_t points) {
  if (from >= to || points == 0 || points > limits::history_points) return reasons::bad_range;
  return Chart(from, to, points);
}

std::size_t Chart::place_of(Time time) const {
  return static_cast<std::size_t>((time - from_).count() * static_cast<std::int64_t>(made_.size()) /
                                  (to_ - from_).count());
}

bool Chart::is_in_one_interval(const ChunkSummary& samples) const {
  return samples.from >= from_ && samples.to < to_ &&
         place_of(samples.from) == place_of(samples.to);
}

namespace {

/// Take in the ends of some numbers; of equal times the later one counts as the last.
inline void take_ends(ChunkSummary& point, const NumberAt& first, const NumberAt& last) {
  if (first.time < point.first_time) {
    point.first = first.value;
    point.first_time = first.time;
  }
  if (last.time >= point.last_time) {
    point.last = last.value;
    point.last_time = last.time;
  }
}

}  // namespace

void Chart::add(const ChunkSummary& numbers) {
  if (numbers.numbers == 0) return;
  auto& point = made_[place_of(numbers.first_time)];
  if (point.numbers == 0) {
    point = numbers;
    return;
  }
  point.numbers += numbers.numbers;
  point.late += numbers.late;
  point.min = std::min(point.min, numbers.min);
  point.max = std::max(point.max, numbers.max);
  point.sum += numbers.sum;
  take_ends(point, {numbers.first_time, numbers.first}, {numbers.last_time, numbers.last});
}

void Chart::add(const NumberAt& number) {
  if (number.time < from_ || number.time >= to_) return;
  if (number.time < near_from_ || number.time >= near_to_) move_to(place_of(number.time));
  auto& point = made_[near_];
  if (point.numbers == 0) {
    point.min = point.max = number.value;
    point.first_time = Time::max();
    point.last_time = Time::min();
  }
  ++point.numbers;
  if (number.late) ++point.late;
  point.min = std::min(point.min, number.value);
  point.max = std::max(point.max, number.value);
  point.sum += number.value;
  take_ends(point, number, number);
}

/// Numbers come by time nearly always, so that the next one lies in the same interval, and the
/// division that finds it is spared.
void Chart::move_to(std::size_t place) {
  const auto count = static_cast<std::int64_t>(made_.size());
  const auto edge = [&](std::int64_t number) {
    const auto span = (to_ - from_).count();
    return from_ + Milliseconds((number * span + count - 1) / count);
  };
  near_ = place;
  near_from_ = edge(static_cast<std::int64_t>(place));
  near_to_ = edge(static_cast<std::int64_t>(place) + 1);
}

std::vector<Point> Chart::take() {
  std::vector<Point> points;
  points.reserve(made_.size());
  const auto span = static_cast<double>((to_ - from_).count());
  for (std::size_t i = 0; i < made_.size(); ++i) {
    const auto& made = made_[i];
    const auto part = static_cast<double>(i) / static_cast<double>(made_.size());
    Point point;
    point.from = from_ + Milliseconds(static_cast<std::int64_t>(span * part));
    point.count = made.numbers;
    point.late = made.late;
    if (made.numbers > 0) {
      point.min = made.min;
      point.max = made.max;
      point.mean = made.sum / static_cast<double>(made.numbers);
      point.first = made.first;
      point.last = made.last;
    }
    points.push_back(point);
  }
  return points;
}

}  // namespace ecp::inline v0::series
