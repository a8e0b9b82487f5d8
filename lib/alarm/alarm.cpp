// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm.hpp>

#include <ecp/alarm/alarm_store.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::alarm {

AlarmStore::~AlarmStore() = default;

std::string_view to_string(AlarmState state) noexcept {
  return state == AlarmState::active ? "active" : "cleared";
}

Result<AlarmState> parse_alarm_state(std::string_view text) {
  if (text == "active") return AlarmState::active;
  if (text == "cleared") return AlarmState::cleared;
  return Error(reasons::bad_field,
               {{"field", "state"}, {"problem", "is neither \"active\" nor \"cleared\""}});
}

namespace {

template <class SomeId>
void write_id(json::Writer& writer, std::string_view name, SomeId id) {
  if (!id.is_nil()) writer.field(name, id.to_string());
}

}  // namespace

std::string to_json(const Alarm& alarm) {
  json::Writer writer;
  writer.begin_object().field("id", alarm.id.to_string());
  writer.field("source", alarm.source).field("name", alarm.name);
  writer.field("severity", to_string(alarm.severity)).field("state", to_string(alarm.state));
  write_id(writer, "rule", alarm.rule);
  write_id(writer, "node", alarm.node);
  write_id(writer, "service", alarm.service);
  if (!alarm.tag.empty()) writer.field("tag", alarm.tag);
  writer.field("subject", alarm.subject).field("message", alarm.message);
  writer.field("value", alarm.value).field("late", alarm.late);
  writer.field("raised_at", to_rfc3339(alarm.raised_at));
  writer.key("cleared_at");
  if (alarm.cleared_at) {
    writer.value(to_rfc3339(*alarm.cleared_at));
  } else {
    writer.null();
  }
  writer.field("clear_message", alarm.clear_message);
  writer.field("created_at", to_rfc3339(alarm.raised_at));
  writer.field("revision", to_number(alarm.revision)).end_object();
  return writer.take();
}

}  // namespace ecp::inline v0::alarm
