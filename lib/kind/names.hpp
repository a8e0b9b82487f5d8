// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Words of the pipeline configuration.

#include <initializer_list>
#include <optional>
#include <string_view>

#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::kind {

/// In the order of TagType.
inline const std::initializer_list<std::string_view> type_names{
    "boolean", "int16",  "uint16",  "int32",   "uint32",
    "int64",   "uint64", "float32", "float64", "text"};
/// In the order of ByteOrder.
inline const std::initializer_list<std::string_view> order_names{"abcd", "cdab", "badc", "dcba"};

template <class Enum>
[[nodiscard]] std::optional<Enum> find_word(std::initializer_list<std::string_view> words,
                                            std::string_view word) {
  std::uint8_t index = 0;
  for (const auto each : words) {
    if (each == word) return static_cast<Enum>(index);
    ++index;
  }
  return std::nullopt;
}

[[nodiscard]] inline std::optional<TagType> type_of(std::string_view word) {
  return find_word<TagType>(type_names, word);
}
[[nodiscard]] inline std::optional<ByteOrder> order_of(std::string_view word) {
  return find_word<ByteOrder>(order_names, word);
}
[[nodiscard]] inline std::string_view name_of(ByteOrder order) {
  return order_names.begin()[static_cast<std::size_t>(order)];
}

}  // namespace ecp::inline v0::kind
