// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The folder of day files: which days there are, and few of them open at a time.

#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "series/day_file.hpp"

namespace ecp::inline v0::series {

using Day = std::int64_t;  ///< Days since 1970-01-01.
inline constexpr std::int64_t day_ms = 86'400'000;
[[nodiscard]] Day day_of(Time time);

/// Thread safety: any thread.
class DayFiles {
 public:
  DayFiles(std::string folder, const Clock& clock) : folder_(std::move(folder)), clock_(clock) {}

  /// Find what is there.
  Result<void> load();
  /// The file of a day, made when absent; the least recently used of too many is closed.
  Result<std::shared_ptr<DayFile>> open(Day day);
  /// Days from `from` to `to` that have a file, oldest first.
  [[nodiscard]] std::vector<Day> days(Time from, Time to) const;
  Result<void> remove(Day day);

  /// Look into the files of some days one after another.
  template <class Unit>
  Result<void> for_each(Time from, Time to, Unit&& unit) {
    for (const auto day : days(from, to)) {
      auto file = open(day);
      if (!file) return std::move(file).error();
      if (auto done = unit(**file); !done) return done;
    }
    return {};
  }

 private:
  [[nodiscard]] std::string path_of(Day day) const;
  std::string folder_;
  const Clock& clock_;
  mutable std::mutex mutex_;
  std::set<Day> days_;
  std::list<std::pair<Day, std::shared_ptr<DayFile>>> open_;  ///< Most recently used first.
};

}  // namespace ecp::inline v0::series
