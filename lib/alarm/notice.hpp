// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One notice on its way through the outbox.

#include <string>

#include <ecp/alarm/alarm.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/platform/outbox.hpp>

namespace ecp::inline v0::alarm {

/// What a notice's outbox item holds.
struct Notice {
  WebhookId webhook;
  Time at;           ///< Of the transition.
  std::string body;  ///< Exact octets that are posted.
};
[[nodiscard]] std::string to_json(const Notice& notice);
[[nodiscard]] Result<Notice> parse_notice(std::string_view text);

/// The JSON that a receiver gets for the last transition of an alarm.
[[nodiscard]] std::string notice_body(platform::OutboxId id, const Alarm& alarm);

/// What a webhook's secret is sealed for.
[[nodiscard]] inline std::string sealing_purpose(WebhookId id) {
  return "alarm.webhook/" + id.to_string();
}

}  // namespace ecp::inline v0::alarm
