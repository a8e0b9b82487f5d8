// SPDX-License-Identifier: Apache-2.0
#include "link/fields.hpp"

namespace ecp::inline v0::link {

std::string to_json(const Command& command) {
  auto writer = fields::begin_document();
  writer.field("command_id", command.id.to_string());
  writer.field("expires_at", to_ms(command.expires_at)).field("action", command.action);
  writer.field("service", command.service.to_string()).field("tag", command.tag);
  if (!command.value_json.empty()) writer.key("value").raw(command.value_json);
  if (!command.writes.empty()) writer.key("writes").raw(to_json(command.writes));
  return fields::end_document(writer);
}

Result<Command> parse_command(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::link_document));
  auto& reader = parsed.reader();
  Command command;
  ECP_TRY(command.id, reader.id<CommandId>("command_id"));
  ECP_TRY(command.expires_at, fields::read_time(reader, "expires_at"));
  ECP_TRY(command.action, reader.text("action", fields::word_bounds));
  ECP_TRY(command.service, reader.id<EdgeServiceId>("service"));
  ECP_TRY(auto tag, reader.optional_text("tag", {0, fields::tag_bounds.max}));
  command.tag = std::move(tag).value_or(std::string());
  ECP_TRY(command.value_json, fields::read_scalar(reader, "value"));
  ECP_TRY(command.writes, fields::read_tag_writes(reader, "writes"));
  return command;
}

std::string to_json(const Question& question) {
  auto writer = fields::begin_document();
  writer.field("method", question.method).key("arguments").raw(question.arguments_json);
  return fields::end_document(writer);
}

Result<Question> parse_question(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::mqtt_packet));
  auto& reader = parsed.reader();
  Question question;
  ECP_TRY(question.method, reader.text("method", fields::word_bounds));
  const auto arguments = reader.optional_value("arguments");
  if (arguments && !arguments->is_null()) {
    if (!arguments->is_object()) return reader.bad("arguments", "is not an object");
    question.arguments_json = arguments->to_text();
  }
  return question;
}

std::string to_json(const Answer& answer) {
  auto writer = fields::begin_document();
  if (answer.reason.empty()) {
    writer.key("result").raw(answer.result_json);
  } else {
    writer.key("error").begin_object().field("reason", answer.reason);
    writer.field("message", answer.message).end_object();
  }
  return fields::end_document(writer);
}

Result<Answer> parse_answer(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::mqtt_packet));
  auto& reader = parsed.reader();
  Answer answer;
  ECP_TRY(auto error, reader.optional_object("error"));
  if (error) {
    ECP_TRY(answer.reason, error->text("reason", {1, 100}));
    ECP_TRY(answer.message, error->text("message", fields::reason_bounds));
    return answer;
  }
  const auto result = reader.optional_value("result");
  if (result) answer.result_json = result->to_text();
  return answer;
}

}  // namespace ecp::inline v0::link
