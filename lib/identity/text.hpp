// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Small text rules; private to identity.

#include <algorithm>
#include <string>
#include <string_view>

#include <ecp/core/bytes.hpp>

namespace ecp::inline v0::identity {

inline std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::transform(lower.begin(), lower.end(), lower.begin(), [](char letter) {
    return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
  });
  return lower;
}

inline std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char octet) {
    return (static_cast<unsigned char>(octet) & 0xc0U) != 0x80U;
  }));
}

inline std::string hash_text(std::string_view secret) { return to_hex(sha256(secret)); }

}  // namespace ecp::inline v0::identity
