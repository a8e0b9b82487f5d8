// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A set of numbers as ranges.

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

namespace ecp::inline v0::series {

/// First and last, both included.
using NumberRange = std::pair<std::int64_t, std::int64_t>;

/// Numbers from 1 on, kept as few sorted ranges that neither touch nor overlap.
class NumberRanges {
 public:
  void add(NumberRange range) {
    if (range.second < range.first) return;
    auto begin = std::lower_bound(
        ranges_.begin(), ranges_.end(), range.first,
        [](const NumberRange& left, std::int64_t first) { return left.second + 1 < first; });
    auto end = begin;
    while (end != ranges_.end() && end->first <= range.second + 1) {
      range.first = std::min(range.first, end->first);
      range.second = std::max(range.second, end->second);
      ++end;
    }
    if (begin == end) {
      ranges_.insert(begin, range);
    } else {
      *begin = range;
      ranges_.erase(begin + 1, end);
    }
  }
  /// The parts of a range that are not in the set.
  [[nodiscard]] std::vector<NumberRange> missing(NumberRange range) const {
    std::vector<NumberRange> parts;
    for (const auto& [first, last] : ranges_) {
      if (last < range.first) continue;
      if (first > range.second) break;
      if (first > range.first) parts.emplace_back(range.first, first - 1);
      range.first = last + 1;
    }
    if (range.first <= range.second) parts.push_back(range);
    return parts;
  }
  [[nodiscard]] std::int64_t count_missing(NumberRange range) const {
    std::int64_t count = 0;
    for (const auto& [first, last] : missing(range)) count += last - first + 1;
    return count;
  }
  /// Greatest number up to which all, from 1, are in the set; 0 when 1 is not.
  [[nodiscard]] std::int64_t upto() const noexcept {
    return !ranges_.empty() && ranges_.front().first <= 1 ? ranges_.front().second : 0;
  }
  /// The ranges beyond `upto`.
  [[nodiscard]] std::vector<NumberRange> beyond() const {
    return {ranges_.begin() + (upto() > 0 ? 1 : 0), ranges_.end()};
  }
  [[nodiscard]] const std::vector<NumberRange>& all() const noexcept { return ranges_; }

 private:
  std::vector<NumberRange> ranges_;
};

}  // namespace ecp::inline v0::series
