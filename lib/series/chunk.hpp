// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Many samples of one tag in few octets, with what a chart needs of them in front.
/// Documented in docs/formats.md; golden files in tests/golden/series.
///
/// A chunk keeps neither the buffer nor the numbers of its samples. Both serve to store each sample
/// once, and that is settled before: a store remembers the ranges of numbers it has applied, in the
/// transaction of the samples, and drops what repeats. Whoever makes chunks keeps those ranges.

#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/series/sample.hpp>

namespace ecp::inline v0::series {

inline constexpr std::size_t max_chunk_samples = 4'096;

/// What stands in front of a chunk. Numbers are good or uncertain in time, and boolean, whole or
/// real, but not NaN: those that a chart counts.
struct ChunkSummary {
  Time from;                 ///< Least time of a sample.
  Time to;                   ///< Greatest time of a sample; it belongs to the chunk.
  std::int64_t samples = 0;  ///< Of any quality and type.
  std::int64_t numbers = 0;  ///< When 0, all that follows means nothing.
  double min = 0;
  double max = 0;
  double first = 0;  ///< At the least time of a number.
  double last = 0;   ///< At the greatest.
  double sum = 0;
  Time first_time;
  Time last_time;
  std::int64_t late = 0;  ///< Numbers that came late.

  friend bool operator==(const ChunkSummary&, const ChunkSummary&) = default;
};

/// A number and its time.
struct NumberAt {
  Time time;
  double value = 0;
  bool late = false;
  friend bool operator==(const NumberAt&, const NumberAt&) = default;
};

/// The number that a chart counts for a sample, if any.
[[nodiscard]] std::optional<double> number_of(const Sample& sample);

/// Code samples of one tag in their order. Not kept: the tag's name, the value of a bad sample, and
/// the payload of a NaN.
/// Fails with `invalid_argument` for none or more than max_chunk_samples, and for a text beyond
/// limits::sample_string or an error beyond 512 octets.
[[nodiscard]] ECP_EXPORT Result<Bytes> encode_chunk(const std::vector<Sample>& samples);

/// Each fails with `invalid_argument` on anything but a chunk of a known version; `read_summary`
/// looks at the front alone.
[[nodiscard]] ECP_EXPORT Result<ChunkSummary> read_summary(BytesView chunk);
[[nodiscard]] ECP_EXPORT Result<std::vector<Sample>> decode_chunk(BytesView chunk,
                                                                  std::string_view tag);
[[nodiscard]] ECP_EXPORT Result<std::vector<NumberAt>> decode_numbers(BytesView chunk);
[[nodiscard]] ECP_EXPORT Result<std::vector<Time>> decode_times(BytesView chunk);

}  // namespace ecp::inline v0::series
