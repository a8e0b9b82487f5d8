// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Ids of alarm.

#include <string_view>

#include <ecp/core/id.hpp>
#include <ecp/link/ids.hpp>

namespace ecp::inline v0::alarm {

using link::AlarmRuleId;

struct AlarmTag {
  static constexpr std::string_view prefix = "alarm";
};
struct WebhookTag {
  static constexpr std::string_view prefix = "hook";
};

using AlarmId = Id<AlarmTag>;
using WebhookId = Id<WebhookTag>;

}  // namespace ecp::inline v0::alarm
