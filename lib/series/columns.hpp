// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Columns of numbers that lie close together, in few octets.
///
/// Whole numbers are predicted by a polynomial of order 0, 1 or 2 through their predecessors (the
/// value, its delta, the delta of deltas), and what the prediction misses is Rice coded: the way of
/// Shorten (T. Robinson, 1994) and FLAC. Real numbers become whole ones first: decimals by their
/// factor, others by their bits, whose order is that of the numbers (P. Lindstrom and M. Isenburg,
/// "Fast and Efficient Compression of Floating-Point Data", 2006). Where values repeat, a bit says
/// so, as in Gorilla (T. Pelkonen et al., "A Fast, Scalable, In-Memory Time Series Database",
/// 2015).

#include <cstdint>
#include <optional>
#include <vector>

#include "series/octets.hpp"

namespace ecp::inline v0::series {

void write_whole_column(OctetWriter& out, const std::vector<std::int64_t>& values);
void write_real_column(OctetWriter& out, const std::vector<double>& values);

/// `count` numbers; none when the octets do not hold a column of them.
[[nodiscard]] std::optional<std::vector<std::int64_t>> read_whole_column(OctetReader& in,
                                                                         std::size_t count);
[[nodiscard]] std::optional<std::vector<double>> read_real_column(OctetReader& in,
                                                                  std::size_t count);

}  // namespace ecp::inline v0::series
