// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Audit operations of identity.

#include <ecp/audit/audit.hpp>

namespace ecp::inline v0::identity::operations {
inline constexpr audit::Operation bootstrap{"platform.bootstrap"};
inline constexpr audit::Operation log_in{"session.log_in"};
inline constexpr audit::Operation refresh{"session.refresh"};
inline constexpr audit::Operation log_out{"session.log_out"};
inline constexpr audit::Operation make_link{"session.make_link"};
inline constexpr audit::Operation change_password{"session.change_password"};
inline constexpr audit::Operation user_create{"user.create"};
inline constexpr audit::Operation user_edit{"user.edit"};
inline constexpr audit::Operation user_enable{"user.enable"};
inline constexpr audit::Operation user_disable{"user.disable"};
inline constexpr audit::Operation user_reset_password{"user.reset_password"};
inline constexpr audit::Operation user_delete{"user.delete"};
}  // namespace ecp::inline v0::identity::operations
