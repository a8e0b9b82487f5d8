// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Quality, lateness and type of a sample in one octet, as chunks and open rows have it.

#include <cstdint>

#include <ecp/series/sample.hpp>

namespace ecp::inline v0::series {

/// In the order of the alternatives of Value.
enum class ValueType : std::uint8_t { boolean, whole, real, text };

/// Bits 0-1: quality; bit 2: late; bits 3-4: type of the value; bit 5: an error comes with it.
[[nodiscard]] inline std::uint8_t form_of(const Sample& sample) {
  return static_cast<std::uint8_t>(static_cast<unsigned>(sample.quality) | (sample.late ? 4U : 0U) |
                                   (static_cast<unsigned>(sample.value.index()) << 3U) |
                                   (sample.error.empty() ? 0U : 32U));
}
[[nodiscard]] inline bool is_form(std::uint8_t form) { return form < 64 && (form & 3U) != 3; }
[[nodiscard]] inline Quality quality_in(std::uint8_t form) {
  return static_cast<Quality>(form & 3U);
}
[[nodiscard]] inline bool is_late(std::uint8_t form) { return (form & 4U) != 0; }
[[nodiscard]] inline ValueType type_in(std::uint8_t form) {
  return static_cast<ValueType>((form >> 3U) & 3U);
}
[[nodiscard]] inline bool has_error(std::uint8_t form) { return (form & 32U) != 0; }
/// Where the error has a place of its own.
[[nodiscard]] inline std::uint8_t without_error(std::uint8_t form) {
  return static_cast<std::uint8_t>(form & 31U);
}

}  // namespace ecp::inline v0::series
