// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Endpoints of alarm.

#include <ecp/api/router.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0::alarm {
class AlarmRegistry;
class AlarmRuleRegistry;
class WebhookRegistry;
}  // namespace ecp::inline v0::alarm

namespace ecp::inline v0::api {

/// `.../alarmrules`, `.../alarmrules/:rule` and `.../alarmsettings`; the registry outlives the
/// router.
ECP_EXPORT void add_alarm_rule_endpoints(Router& router, alarm::AlarmRuleRegistry& rules);
/// `.../alarms` and `.../alarms/:alarm`.
ECP_EXPORT void add_alarm_endpoints(Router& router, alarm::AlarmRegistry& alarms);
/// `.../webhooks` and `.../webhooks/:webhook`.
ECP_EXPORT void add_webhook_endpoints(Router& router, alarm::WebhookRegistry& webhooks);

}  // namespace ecp::inline v0::api
