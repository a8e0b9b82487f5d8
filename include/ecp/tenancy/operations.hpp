// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Audit operations of tenancy.

#include <ecp/audit/audit.hpp>

namespace ecp::inline v0::tenancy::operations {
inline constexpr audit::Operation organization_create{"organization.create"};
inline constexpr audit::Operation organization_edit{"organization.edit"};
inline constexpr audit::Operation organization_delete{"organization.delete"};
inline constexpr audit::Operation project_create{"project.create"};
inline constexpr audit::Operation project_edit{"project.edit"};
inline constexpr audit::Operation project_delete{"project.delete"};
}  // namespace ecp::inline v0::tenancy::operations
