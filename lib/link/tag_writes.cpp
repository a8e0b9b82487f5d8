// SPDX-License-Identifier: Apache-2.0
#include "link/fields.hpp"

namespace ecp::inline v0::link {
namespace {

constexpr std::string_view wrapped = "items";

Result<TagWrite> read_write(json::Reader& reader) {
  TagWrite write;
  ECP_TRY(write.tag, reader.text("tag", fields::tag_bounds));
  ECP_TRY(write.value_json, fields::read_scalar(reader, "value"));
  if (write.value_json.empty()) return reader.bad("value", "is missing");
  return write;
}

Result<TagResult> read_result(json::Reader& reader) {
  TagResult result;
  ECP_TRY(result.tag, reader.text("tag", fields::tag_bounds));
  ECP_TRY(const auto state, reader.text("state", fields::word_bounds));
  result.state = parse_command_state(state).value_or(CommandState::unknown);
  ECP_TRY(auto reason, reader.optional_text("reason", fields::reason_bounds));
  result.reason = std::move(reason).value_or(std::string());
  ECP_TRY(result.value_json, fields::read_scalar(reader, "value"));
  return result;
}

/// A bare array, by way of an object around it: readers are of objects.
template <class Read>
auto read_array(std::string_view text, Read read) {
  std::string document = "{\"";
  document.append(wrapped).append("\":").append(text).append("}");
  auto parsed = json::ObjectDocument::parse(document, limits::batch);
  using Items = decltype(read(parsed->reader(), wrapped));
  if (!parsed) return Items(std::move(parsed).error());
  return read(parsed->reader(), wrapped);
}

}  // namespace

namespace fields {

Result<std::vector<TagWrite>> read_tag_writes(json::Reader& reader, std::string_view name) {
  return read_items<TagWrite>(reader, name, writes_per_command, read_write);
}

Result<std::vector<TagResult>> read_tag_results(json::Reader& reader, std::string_view name) {
  return read_items<TagResult>(reader, name, writes_per_command, read_result);
}

}  // namespace fields

std::string to_json(const std::vector<TagWrite>& writes) {
  json::Writer writer;
  writer.begin_array();
  for (const auto& write : writes) {
    writer.begin_object().field("tag", write.tag).key("value").raw(write.value_json).end_object();
  }
  return writer.end_array().take();
}

std::string to_json(const std::vector<TagResult>& results) {
  json::Writer writer;
  writer.begin_array();
  for (const auto& result : results) {
    writer.begin_object().field("tag", result.tag).field("state", to_string(result.state));
    writer.field("reason", result.reason);
    if (!result.value_json.empty()) writer.key("value").raw(result.value_json);
    writer.end_object();
  }
  return writer.end_array().take();
}

Result<std::vector<TagWrite>> parse_tag_writes(std::string_view text) {
  return read_array(text, fields::read_tag_writes);
}

Result<std::vector<TagResult>> parse_tag_results(std::string_view text) {
  return read_array(text, fields::read_tag_results);
}

}  // namespace ecp::inline v0::link
