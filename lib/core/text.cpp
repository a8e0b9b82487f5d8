// SPDX-License-Identifier: Apache-2.0
#include "core/text.hpp"

#include <algorithm>

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

bool is_utf8(std::string_view text) noexcept {
  for (std::size_t position = 0; position < text.size();) {
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
