// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Text rules of HTTP that server, client and router share.

#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0::http::text {

[[nodiscard]] constexpr char to_lower(char letter) noexcept {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}
[[nodiscard]] ECP_EXPORT bool equal_no_case(std::string_view left, std::string_view right) noexcept;

enum class Plus { is_plus, is_space };
/// None on an incomplete or wrong escape.
[[nodiscard]] ECP_EXPORT std::optional<std::string> percent_decode(std::string_view coded,
                                                                   Plus plus);

/// Decode a path once. None when it does not begin with '/', holds control characters, bad UTF-8, a
/// backslash, an empty segment before its end, "." or "..".
[[nodiscard]] ECP_EXPORT std::optional<std::string> normal_path(std::string_view coded);

}  // namespace ecp::inline v0::http::text
