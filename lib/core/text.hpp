// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Decoding of UTF-8 and numbers, for core alone.

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace ecp::inline v0::text {

/// Return the code point at `position` and move behind it; none, without moving, when the octets
/// there are not well-formed UTF-8 (RFC 3629: shortest form, no surrogates, up to U+10FFFF).
[[nodiscard]] std::optional<char32_t> next_code_point(std::string_view text,
                                                      std::size_t& position) noexcept;

/// Position of the first octet from `position` on that is not printable ASCII. Nearly all that we
/// read is, and is so passed eight octets at a time.
[[nodiscard]] std::size_t skip_plain(std::string_view text, std::size_t position) noexcept;

/// True when all of the text is well-formed UTF-8; control characters may be in it.
[[nodiscard]] bool is_utf8(std::string_view text) noexcept;

/// Number of code points of well-formed UTF-8.
[[nodiscard]] std::size_t count_code_points(std::string_view text) noexcept;

/// The whole text as a decimal number, or none.
[[nodiscard]] inline std::optional<std::int64_t> to_integer(std::string_view text) noexcept {
  std::int64_t number = 0;
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// At most `max` octets of a text, cut between code points and marked with "...".
[[nodiscard]] std::string clip(std::string_view text, std::size_t max);

}  // namespace ecp::inline v0::text
