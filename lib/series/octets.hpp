// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Variable-length integers and length-prefixed texts, as sample blocks and chunks use them.

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

#include <ecp/core/bytes.hpp>

namespace ecp::inline v0::series {

/// Appends to a block.
class OctetWriter {
 public:
  void octet(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void number(std::uint64_t value) {
    while (value >= 0x80U) {
      octet(static_cast<std::uint8_t>(value | 0x80U));
      value >>= 7U;
    }
    octet(static_cast<std::uint8_t>(value));
  }
  void signed_number(std::int64_t value) {
    const auto bits = static_cast<std::uint64_t>(value);
    number((bits << 1U) ^ (value < 0 ? ~std::uint64_t{0} : 0));
  }
  void real(double value) {
    auto bits = std::bit_cast<std::uint64_t>(value);
    for (int i = 0; i < 8; ++i, bits >>= 8U) octet(static_cast<std::uint8_t>(bits));
  }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void octets(BytesView value) { out_.append(value); }
  [[nodiscard]] Bytes take() { return std::move(out_); }

 private:
  Bytes out_;
};

/// Reads a block; every getter gives none when the octets do not suffice or make no sense.
class OctetReader {
 public:
  explicit OctetReader(BytesView block) : rest_(block) {}
  [[nodiscard]] std::optional<std::uint8_t> octet() {
    if (rest_.empty()) return std::nullopt;
    const auto value = static_cast<std::uint8_t>(rest_.front());
    rest_.remove_prefix(1);
    return value;
  }
  [[nodiscard]] std::optional<std::uint64_t> number() {
    std::uint64_t value = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
      const auto next = octet();
      if (!next || (shift == 63 && *next > 1)) return std::nullopt;
      value |= static_cast<std::uint64_t>(*next & 0x7FU) << shift;
      if ((*next & 0x80U) == 0) return value;
    }
    return std::nullopt;
  }
  [[nodiscard]] std::optional<std::int64_t> signed_number() {
    const auto bits = number();
    if (!bits) return std::nullopt;
    return static_cast<std::int64_t>((*bits >> 1U) ^ ((*bits & 1U) != 0 ? ~std::uint64_t{0} : 0));
  }
  [[nodiscard]] std::optional<double> real() {
    if (rest_.size() < 8) return std::nullopt;
    std::uint64_t bits = 0;
    for (unsigned i = 0; i < 8; ++i) {
      bits |= static_cast<std::uint64_t>(static_cast<std::uint8_t>(rest_[i])) << (8U * i);
    }
    rest_.remove_prefix(8);
    return std::bit_cast<double>(bits);
  }
  [[nodiscard]] std::optional<std::string_view> text(std::size_t max) {
    const auto size = number();
    if (!size || *size > max || *size > rest_.size()) return std::nullopt;
    const auto value = rest_.substr(0, static_cast<std::size_t>(*size));
    rest_.remove_prefix(value.size());
    return value;
  }
  [[nodiscard]] bool is_done() const noexcept { return rest_.empty(); }
  /// What was not read yet, and to pass the first octets of it.
  [[nodiscard]] BytesView rest() const noexcept { return rest_; }
  void skip(std::size_t count) { rest_.remove_prefix(std::min(count, rest_.size())); }

 private:
  BytesView rest_;
};

}  // namespace ecp::inline v0::series
