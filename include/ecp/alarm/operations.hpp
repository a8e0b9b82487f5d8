// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Audited operations of alarm.

#include <ecp/audit/audit.hpp>

namespace ecp::inline v0::alarm::operations {

inline constexpr audit::Operation alarm_rule_create{"alarm_rule.create"};
inline constexpr audit::Operation alarm_rule_update{"alarm_rule.update"};
inline constexpr audit::Operation alarm_rule_remove{"alarm_rule.remove"};
inline constexpr audit::Operation alarm_settings_update{"alarm_settings.update"};
inline constexpr audit::Operation alarm_raise{"alarm.raise"};
inline constexpr audit::Operation alarm_clear{"alarm.clear"};
inline constexpr audit::Operation webhook_create{"alarm_webhook.create"};
inline constexpr audit::Operation webhook_update{"alarm_webhook.update"};
inline constexpr audit::Operation webhook_remove{"alarm_webhook.remove"};

}  // namespace ecp::inline v0::alarm::operations
