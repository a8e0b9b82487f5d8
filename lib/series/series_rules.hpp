// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What every series store decides in the same way.

#include <cstdint>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/series/series_store.hpp>

#include "series/chunk.hpp"

namespace ecp::inline v0::series {

inline constexpr Milliseconds hour_length{3'600'000};
inline constexpr Milliseconds day_length{86'400'000};
/// Ranges beyond the first hole that an answer names; the agent sends what is not named again.
inline constexpr std::size_t max_ranges_told = 100;

/// The time under which a sample is kept: its own, or ours when its clock cannot be right.
[[nodiscard]] ECP_EXPORT Time bounded_time(Time claimed, Time now);

/// The stretches of a recorded silence in which there really are no samples, given the times of
/// samples in it and the nearest ones around it: what was buffered meanwhile may have arrived.
[[nodiscard]] ECP_EXPORT std::vector<Gap> silent_parts(const Gap& gap, std::vector<Time> times);

/// Order gaps by time and drop repeated ones.
ECP_EXPORT void tidy_gaps(std::vector<Gap>& gaps);

/// A chart in the making: equal intervals over [from, to).
class ECP_EXPORT Chart {
 public:
  /// Fails with `invalid_argument` (series.bad_range) for an empty range, no or too many points.
  static Result<Chart> make(Time from, Time to, std::size_t points);

  /// Whether all samples lie in one interval.
  [[nodiscard]] bool is_in_one_interval(const ChunkSummary& samples) const;
  /// Add samples that all lie in one interval, which the first of their numbers tells.
  void add(const ChunkSummary& numbers);
  /// Add a number if it is in the range.
  void add(const NumberAt& number);
  [[nodiscard]] std::vector<Point> take();

 private:
  Chart(Time from, Time to, std::size_t points) : from_(from), to_(to), made_(points) {}
  [[nodiscard]] std::size_t place_of(Time time) const;
  void move_to(std::size_t place);
  Time from_;
  Time to_;
  std::vector<ChunkSummary> made_;
  std::size_t near_ = 0;  ///< The interval of the number before, and its bounds.
  Time near_from_;
  Time near_to_;
};

}  // namespace ecp::inline v0::series
