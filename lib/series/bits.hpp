// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Rows of bits, the first bit of an octet being its greatest.

#include <bit>
#include <cstdint>

#include <ecp/core/bytes.hpp>

namespace ecp::inline v0::series {

/// Appends bits.
class BitWriter {
 public:
  /// Append the low `width` bits of a number, the greatest first.
  void bits(std::uint64_t value, unsigned width) {
    while (width > 0) {
      if (free_ == 0) {
        out_.push_back('\0');
        free_ = 8;
      }
      const auto part = width < free_ ? width : free_;
      // NOLINTNEXTLINE(clang-analyzer-core.UndefinedBinaryOperatorResult): `free_` is at most 8.
      const auto piece = (value >> (width - part)) & ((1U << part) - 1U);
      const auto last = static_cast<unsigned char>(out_.back());
      out_.back() = static_cast<char>(last | (piece << (free_ - part)));
      free_ -= part;
      width -= part;
    }
  }
  /// What was written; the last octet is filled with zeros.
  [[nodiscard]] const Bytes& octets() const noexcept { return out_; }

 private:
  Bytes out_;
  unsigned free_ = 0;  ///< Bits not yet used of the last octet.
};

/// Reads bits. Beyond the end there are zeros, and the reader is no longer good.
class BitReader {
 public:
  explicit BitReader(BytesView octets) : octets_(octets) {}

  [[nodiscard]] std::uint64_t bits(unsigned width) {
    if (width == 0) return 0;
    const auto value = ahead() >> (64U - width);
    place_ += width;
    return value;
  }
  /// A number in Rice's code: ones, as many as its part above `width` says, a zero, and the rest;
  /// after `most_ones` (at most 32) come 64 plain bits. `width` is below 64.
  [[nodiscard]] std::uint64_t rice(unsigned width, unsigned most_ones) {
    const auto next = ahead();
    const auto ones = static_cast<unsigned>(std::countl_one(next));
    if (ones >= most_ones) {
      place_ += most_ones;
      return bits(64);
    }
    const std::uint64_t high = std::uint64_t{ones} << width;
    const auto used = ones + 1;
    if (used + width > 64 || width == 0) {
      place_ += used;
      return high | bits(width);
    }
    place_ += used + width;
    return high | ((next << used) >> (64U - width));
  }
  [[nodiscard]] bool is_good() const noexcept { return place_ <= octets_.size() * 8; }
  /// Octets of which at least one bit was read.
  [[nodiscard]] std::size_t used() const noexcept { return (place_ + 7) / 8; }

 private:
  /// The next 64 bits.
  [[nodiscard]] std::uint64_t ahead() const noexcept {
    const auto first = place_ / 8;
    const auto skipped = static_cast<unsigned>(place_ % 8);
    const auto value = eight_octets(first);
    if (skipped == 0) return value;
    return (value << skipped) | (octet(first + 8) >> (8U - skipped));
  }
  [[nodiscard]] std::uint64_t eight_octets(std::size_t first) const noexcept {
    std::uint64_t value = 0;
    if (first + 8 <= octets_.size()) {  // Nearly always: one load, and no look at each.
      const auto* const octets = octets_.data() + first;
      for (std::size_t i = 0; i < 8; ++i) {
        value |= std::uint64_t{static_cast<unsigned char>(octets[i])} << (56U - 8U * i);
      }
      return value;
    }
    for (std::size_t i = 0; i < 8; ++i) value = (value << 8U) | octet(first + i);
    return value;
  }
  [[nodiscard]] std::uint64_t octet(std::size_t index) const noexcept {
    return index < octets_.size() ? static_cast<unsigned char>(octets_[index]) : 0U;
  }

  BytesView octets_;
  std::size_t place_ = 0;
};

}  // namespace ecp::inline v0::series
