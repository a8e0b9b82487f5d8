// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <algorithm>
#include <cstring>

namespace ecp::inline v0::text {

std::optional<char32_t> next_code_point(std::string_view text, std::size_t& position) noexcept {
  if (position >= text.size()) return std::nullopt;
  const auto lead = static_cast<unsigned char>(text[position]);
  if (lead < 0x80) {
    ++position;
    return lead;
  }
  const std::size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() - position < length) return std::nullopt;
  char32_t point = lead & (0xFFU >> (length + 1));
  for (std::size_t i = 1; i < length; ++i) {
    const auto octet = static_cast<unsigned char>(text[position + i]);
    if ((octet & 0xC0) != 0x80) return std::nullopt;
    point = (point << 6) | (octet & 0x3FU);
  }
  const bool too_long = (length == 3 && point < 0x800) || (length == 4 && point < 0x10000);
  const bool is_surrogate = point >= 0xD800 && point <= 0xDFFF;
  if (too_long || is_surrogate || point > 0x10FFFF) return std::nullopt;
  position += length;
  return point;
}

std::size_t skip_plain(std::string_view text, std::size_t position) noexcept {
  constexpr std::uint64_t high_bits = 0x8080808080808080U;
  constexpr std::uint64_t blanks = 0x2020202020202020U;
  for (; text.size() - position >= sizeof(std::uint64_t); position += sizeof(std::uint64_t)) {
    std::uint64_t octets = 0;
    std::memcpy(&octets, text.data() + position, sizeof octets);
    // An octet below a blank borrows, which shows in its own high bit or its neighbour's.
    if (((octets | (octets - blanks)) & high_bits) != 0) break;
  }
  const auto is_plain = [](char octet) {
    return static_cast<unsigned char>(octet) - 0x20U < 0x60U;
  };
  while (position < text.size() && is_plain(text[position])) ++position;
  return position;
}

bool is_utf8(std::string_view text) noexcept {
  for (auto position = skip_plain(text, 0); position < text.size();
       position = skip_plain(text, position)) {
    if (!next_code_point(text, position)) return false;
  }
  return true;
}

std::size_t count_code_points(std::string_view text) noexcept {
  return static_cast<std::size_t>(std::count_if(
      text.begin(), text.end(), [](char octet) { return (octet & '\xC0') != '\x80'; }));
}

std::string clip(std::string_view text, std::size_t max) {
  if (text.size() <= max) return std::string(text);
  std::size_t end = max;
  while (end > 0 && (text[end] & '\xC0') == '\x80') --end;
  return std::string(text.substr(0, end)) + "...";
}

}  // namespace ecp::inline v0::text
