// SPDX-License-Identifier: Apache-2.0
#include "link/fields.hpp"

#include <algorithm>

namespace ecp::inline v0::link::fields {

json::Writer begin_document() {
  json::Writer writer;
  writer.begin_object().field("v", document_version);
  return writer;
}

std::string end_document(json::Writer& writer) {
  writer.end_object();
  return writer.take();
}

Result<json::ObjectDocument> open_document(std::string_view text, std::size_t max_size) {
  ECP_TRY(auto document, json::ObjectDocument::parse(text, max_size));
  ECP_TRY_VOID(document.reader().integer("v", 1, max_number));
  return document;
}

Result<Time> read_time(json::Reader& reader, std::string_view name) {
  ECP_TRY(const auto milliseconds, reader.integer(name, 0, max_time));
  return from_ms(milliseconds);
}

Result<std::string> read_digest(json::Reader& reader, std::string_view name, bool may_be_empty) {
  ECP_TRY(auto text, reader.text(name, {0, 64}));
  const bool is_hex = std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f');
  });
  if (text.empty() ? !may_be_empty : text.size() != 64 || !is_hex) {
    return reader.bad(name, "is not a SHA-256 in hex");
  }
  return text;
}

Result<Generation> read_generation(json::Reader& reader) {
  Generation generation;
  ECP_TRY(generation.epoch, reader.integer("epoch", 0, max_number));
  ECP_TRY(generation.generation, reader.integer("generation", 0, max_number));
  return generation;
}

void write_generation(json::Writer& writer, const Generation& generation) {
  writer.field("epoch", generation.epoch).field("generation", generation.generation);
}

Result<std::string> read_life(json::Reader& reader) {
  ECP_TRY(auto life, reader.optional_text("life", word_bounds));
  return std::move(life).value_or(std::string());
}

void write_life(json::Writer& writer, const std::string& life) {
  if (!life.empty()) writer.field("life", life);
}

Result<std::vector<NumberRange>> read_ranges(json::Reader& reader, std::string_view name) {
  ECP_TRY(const auto values, reader.array_or_empty(name, limits::number_ranges));
  std::vector<NumberRange> ranges;
  ranges.reserve(values.size());
  std::int64_t next = 0;
  for (const auto& value : values) {
    if (!value.is_array() || value.size() != 2 || !value.at(0).is_integer() ||
        !value.at(1).is_integer()) {
      return reader.bad(name, "holds something other than pairs of numbers");
    }
    const NumberRange range{value.at(0).get_integer(), value.at(1).get_integer()};
    if (range.first < next || range.second < range.first || range.second > max_number) {
      return reader.bad(name, "is not ascending");
    }
    next = range.second + 1;
    ranges.push_back(range);
  }
  return ranges;
}

void write_ranges(json::Writer& writer, std::string_view name,
                  const std::vector<NumberRange>& ranges) {
  writer.key(name).begin_array();
  for (const auto& range : ranges) {
    writer.begin_array().value(range.first).value(range.second).end_array();
  }
  writer.end_array();
}

Result<std::string> read_scalar(json::Reader& reader, std::string_view name) {
  const auto value = reader.optional_value(name);
  if (!value || value->is_null()) return std::string();
  if (value->is_array() || value->is_object()) return reader.bad(name, "is not a plain value");
  if (value->is_string() && value->get_string().size() > limits::sample_string) {
    return reader.bad(name, "is too long");
  }
  return value->to_text();
}

}  // namespace ecp::inline v0::link::fields
