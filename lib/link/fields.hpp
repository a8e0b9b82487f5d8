// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Pieces that several documents of the link share.

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/link/documents.hpp>

namespace ecp::inline v0::link::fields {

inline constexpr std::int64_t max_number = std::numeric_limits<std::int64_t>::max() - 1;
inline constexpr std::int64_t max_time = 253'402'300'799'999;  ///< End of the year 9999, in ms.
inline constexpr json::TextBounds reason_bounds{0, limits::reason_text};
inline constexpr json::TextBounds word_bounds{1, 64};
inline constexpr json::TextBounds tag_bounds{1, 3 * limits::name_length + 2};

/// Start a document: '{"v":1'.
json::Writer begin_document();
/// Close it.
std::string end_document(json::Writer& writer);
/// Parse a document and check that it has a version.
Result<json::ObjectDocument> open_document(std::string_view text, std::size_t max_size);

Result<Time> read_time(json::Reader& reader, std::string_view name);
/// 64 lower-case hex digits, or empty when `may_be_empty`.
Result<std::string> read_digest(json::Reader& reader, std::string_view name, bool may_be_empty);
Result<Generation> read_generation(json::Reader& reader);
void write_generation(json::Writer& writer, const Generation& generation);
/// The run of an agent; absent when it is empty, as from an older one.
Result<std::string> read_life(json::Reader& reader);
void write_life(json::Writer& writer, const std::string& life);
/// Ranges as [[first,last],...], ascending and apart from each other.
Result<std::vector<NumberRange>> read_ranges(json::Reader& reader, std::string_view name);
void write_ranges(json::Writer& writer, std::string_view name,
                  const std::vector<NumberRange>& ranges);
/// Writes and results of several data tags, as arrays of objects; absent ones are empty.
Result<std::vector<TagWrite>> read_tag_writes(json::Reader& reader, std::string_view name);
Result<std::vector<TagResult>> read_tag_results(json::Reader& reader, std::string_view name);
/// An optional JSON scalar as text; empty when absent.
Result<std::string> read_scalar(json::Reader& reader, std::string_view name);

/// Read an array of objects with `read_item(Reader&) -> Result<Item>`.
template <class Item, class ReadItem>
Result<std::vector<Item>> read_items(json::Reader& reader, std::string_view name, std::size_t max,
                                     ReadItem read_item) {
  auto values = reader.array_or_empty(name, max);
  if (!values) return std::move(values).error();
  std::vector<Item> items;
  items.reserve(values->size());
  for (std::size_t i = 0; i < values->size(); ++i) {
    const std::string prefix = reader.path().empty() ? std::string() : reader.path() + ".";
    auto item_reader = json::Reader::open(
        (*values)[i], prefix + std::string(name) + "[" + std::to_string(i) + "]");
    if (!item_reader) return std::move(item_reader).error();
    auto item = read_item(*item_reader);
    if (!item) return std::move(item).error();
    items.push_back(std::move(*item));
  }
  return items;
}

}  // namespace ecp::inline v0::link::fields
