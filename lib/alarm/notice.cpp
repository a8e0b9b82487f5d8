// SPDX-License-Identifier: Apache-2.0
#include "alarm/notice.hpp"

#include <openssl/evp.h>
#include <openssl/hmac.h>

#include <ecp/alarm/notifier.hpp>
#include <ecp/core/json.hpp>

namespace ecp::inline v0::alarm {

std::string to_json(const Notice& notice) {
  json::Writer writer;
  writer.begin_object().field("v", 1).field("webhook", notice.webhook.to_string());
  writer.field("at", to_ms(notice.at)).field("body", notice.body).end_object();
  return writer.take();
}

Result<Notice> parse_notice(std::string_view text) {
  ECP_TRY(auto document, json::ObjectDocument::parse(text));
  auto& reader = document.reader();
  Notice notice;
  ECP_TRY(notice.webhook, reader.id<WebhookId>("webhook"));
  ECP_TRY(const auto at, reader.integer("at", 0, std::numeric_limits<std::int64_t>::max()));
  notice.at = from_ms(at);
  ECP_TRY(notice.body, reader.raw_text("body", limits::json_document));
  return notice;
}

std::string notice_body(platform::OutboxId id, const Alarm& alarm) {
  const bool raised = alarm.state == AlarmState::active;
  json::Writer writer;
  writer.begin_object().field("v", 1).field("notification_id", id.to_string());
  writer.field("name", alarm.name).field("state", raised ? "raised" : "cleared");
  writer.field("severity", to_string(alarm.severity)).field("subject", alarm.subject);
  writer.field("message", raised ? alarm.message : alarm.clear_message);
  writer.field("at", to_rfc3339(raised ? alarm.raised_at : alarm.cleared_at.value_or(Time{})));
  writer.field("value", alarm.value).field("late", alarm.late);
  writer.field("alarm", alarm.id.to_string()).field("source", alarm.source);
  writer.field("organization", alarm.organization.to_string());
  writer.field("project", alarm.project.to_string()).end_object();
  return writer.take();
}

std::string notice_signature(std::string_view secret, std::string_view timestamp,
                             std::string_view body) {
  std::string text(timestamp);
  text.append(".").append(body);
  unsigned char digest[EVP_MAX_MD_SIZE];
  unsigned size = 0;
  HMAC(EVP_sha256(), secret.data(), static_cast<int>(secret.size()),
       reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest, &size);
  return "sha256=" + to_hex(BytesView(reinterpret_cast<const char*>(digest), size));
}

}  // namespace ecp::inline v0::alarm
