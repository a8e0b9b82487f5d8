// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Audit operations of rbac.

#include <ecp/audit/audit.hpp>

namespace ecp::inline v0::rbac::operations {
inline constexpr audit::Operation member_put{"member.put"};
inline constexpr audit::Operation member_remove{"member.remove"};
}  // namespace ecp::inline v0::rbac::operations
