// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <ecp/core/reasons.hpp>

#include "link/fields.hpp"

namespace ecp::inline v0::link {

namespace {

constexpr std::array<std::string_view, 3> resource_states{"pending", "applied", "failed"};
constexpr std::array<std::string_view, 6> command_states{"pending", "done",    "failed",
                                                         "refused", "expired", "unknown"};
constexpr double max_value = std::numeric_limits<double>::max();

ResourceState resource_state_of(std::string_view text) {
  for (std::size_t i = 0; i < resource_states.size(); ++i) {
    if (resource_states[i] == text) return static_cast<ResourceState>(i);
  }
  return ResourceState::pending;  // Said by a newer agent; neither applied nor failed.
}

Result<ReportedResource> read_resource(json::Reader& reader) {
  ReportedResource resource;
  ECP_TRY(resource.name, reader.text("name", {1, 128}));
  ECP_TRY(resource.wanted_sha256, fields::read_digest(reader, "wanted_sha256", true));
  ECP_TRY(resource.applied_sha256, fields::read_digest(reader, "applied_sha256", true));
  ECP_TRY(const auto state, reader.text("state", fields::word_bounds));
  resource.state = resource_state_of(state);
  ECP_TRY(auto reason, reader.optional_text("reason", fields::reason_bounds));
  resource.reason = std::move(reason).value_or(std::string());
  return resource;
}

void write_resource(json::Writer& writer, const ReportedResource& resource) {
  writer.begin_object().field("name", resource.name);
  writer.field("wanted_sha256", resource.wanted_sha256);
  writer.field("applied_sha256", resource.applied_sha256);
  writer.field("state", to_string(resource.state)).field("reason", resource.reason).end_object();
}

Result<CommandResult> read_command_result(json::Reader& reader) {
  CommandResult result;
  ECP_TRY(result.command, reader.id<CommandId>("command_id"));
  ECP_TRY(const auto state, reader.text("state", fields::word_bounds));
  result.state = parse_command_state(state).value_or(CommandState::unknown);
  ECP_TRY(auto reason, reader.optional_text("reason", fields::reason_bounds));
  result.reason = std::move(reason).value_or(std::string());
  ECP_TRY(result.value_json, fields::read_scalar(reader, "value"));
  ECP_TRY(result.at, fields::read_time(reader, "at"));
  ECP_TRY(result.results, fields::read_tag_results(reader, "results"));
  return result;
}

void write_command_result(json::Writer& writer, const CommandResult& result) {
  writer.begin_object().field("command_id", result.command.to_string());
  writer.field("state", to_string(result.state)).field("reason", result.reason);
  if (!result.value_json.empty()) writer.key("value").raw(result.value_json);
  if (!result.results.empty()) writer.key("results").raw(to_json(result.results));
  writer.field("at", to_ms(result.at)).end_object();
}

Result<ReportedItem> read_reported_item(json::Reader& reader) {
  ReportedItem item;
  ECP_TRY(item.generation, fields::read_generation(reader));
  ECP_TRY(item.resources, fields::read_items<ReportedResource>(
                              reader, "resources", limits::manifest_resources, read_resource));
  ECP_TRY(auto command, reader.optional_object("command"));
  if (command) {
    ECP_TRY(auto result, read_command_result(*command));
    item.command = std::move(result);
  }
  return item;
}

Result<Transition> read_transition(json::Reader& reader) {
  Transition transition;
  ECP_TRY(transition.rule, reader.id<AlarmRuleId>("rule"));
  ECP_TRY(transition.rule_revision, reader.integer("rule_revision", 0, fields::max_number));
  ECP_TRY(transition.service, reader.id<EdgeServiceId>("service"));
  ECP_TRY(transition.tag, reader.text("tag", fields::tag_bounds));
  ECP_TRY(transition.raised, reader.boolean("raised"));
  ECP_TRY(transition.at, fields::read_time(reader, "at"));
  ECP_TRY(transition.value, reader.number_or("value", 0, -max_value, max_value));
  ECP_TRY(transition.late, reader.boolean_or("late", false));
  return transition;
}

Result<AgentEvent> read_event(json::Reader& reader) {
  AgentEvent event;
  ECP_TRY(event.name, reader.text("name", fields::word_bounds));
  ECP_TRY(event.text, reader.text("text", fields::reason_bounds));
  ECP_TRY(event.at, fields::read_time(reader, "at"));
  return event;
}

void write_item(json::Writer& writer, const ReportedItem& item) {
  writer.begin_object();
  fields::write_generation(writer, item.generation);
  writer.key("resources").begin_array();
  for (const auto& resource : item.resources) write_resource(writer, resource);
  writer.end_array();
  if (item.command) {
    writer.key("command");
    write_command_result(writer, *item.command);
  }
  writer.end_object();
}

void write_item(json::Writer& writer, const Transition& transition) {
  writer.begin_object().field("rule", transition.rule.to_string());
  writer.field("rule_revision", transition.rule_revision);
  writer.field("service", transition.service.to_string()).field("tag", transition.tag);
  writer.field("raised", transition.raised).field("at", to_ms(transition.at));
  writer.field("value", transition.value).field("late", transition.late).end_object();
}

void write_item(json::Writer& writer, const AgentEvent& event) {
  writer.begin_object().field("name", event.name).field("text", event.text);
  writer.field("at", to_ms(event.at)).end_object();
}

template <class Item>
std::string write_batch(const JournalBatch<Item>& batch) {
  auto writer = fields::begin_document();
  writer.field("buffer_id", batch.buffer_id).field("first", batch.first);
  fields::write_life(writer, batch.life);
  writer.key("items").begin_array();
  for (const auto& item : batch.items) write_item(writer, item);
  writer.end_array();
  return fields::end_document(writer);
}

template <class Item, class ReadItem>
Result<JournalBatch<Item>> read_batch(std::string_view text, ReadItem read_item) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::mqtt_packet));
  auto& reader = parsed.reader();
  JournalBatch<Item> batch;
  ECP_TRY(batch.buffer_id, reader.text("buffer_id", fields::word_bounds));
  ECP_TRY(batch.first, reader.integer("first", 0, fields::max_number));
  ECP_TRY(batch.life, fields::read_life(reader));
  ECP_TRY(batch.items, fields::read_items<Item>(reader, "items", limits::journal_items, read_item));
  if (batch.first > fields::max_number - static_cast<std::int64_t>(batch.items.size())) {
    return reader.bad("first", "is too large");
  }
  return batch;
}

}  // namespace

std::string_view to_string(ResourceState state) noexcept {
  return resource_states[static_cast<std::size_t>(state) % resource_states.size()];
}

std::string_view to_string(CommandState state) noexcept {
  return command_states[static_cast<std::size_t>(state) % command_states.size()];
}

Result<CommandState> parse_command_state(std::string_view text) {
  for (std::size_t i = 0; i < command_states.size(); ++i) {
    if (command_states[i] == text) return static_cast<CommandState>(i);
  }
  return Error(ecp::reasons::bad_text, {{"coding", "command state"}});
}

std::string to_json(const ReportedBatch& batch) { return write_batch(batch); }
std::string to_json(const AlarmBatch& batch) { return write_batch(batch); }
std::string to_json(const EventBatch& batch) { return write_batch(batch); }

Result<ReportedBatch> parse_reported_batch(std::string_view text) {
  return read_batch<ReportedItem>(text, read_reported_item);
}
Result<AlarmBatch> parse_alarm_batch(std::string_view text) {
  return read_batch<Transition>(text, read_transition);
}
Result<EventBatch> parse_event_batch(std::string_view text) {
  return read_batch<AgentEvent>(text, read_event);
}

}  // namespace ecp::inline v0::link
