// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The four built-in roles; each contains the next.

#include <cstdint>
#include <span>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/access/permission.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::rbac {

/// From the widest to the narrowest.
enum class Role : std::uint8_t { system_admin, organization_admin, project_admin, member };

/// "system_admin", "organization_admin", "project_admin", "member".
[[nodiscard]] ECP_EXPORT std::string_view to_string(Role role) noexcept;
/// Fails with `invalid_argument` on any other word.
[[nodiscard]] ECP_EXPORT Result<Role> role_from(std::string_view name);

/// One line of the action matrix: the narrowest role that has the permission, in its own scope.
struct MatrixRow {
  const access::Permission* permission;
  Role narrowest;
};

/// The action matrix. A permission that is not in it belongs to system administrators.
[[nodiscard]] ECP_EXPORT std::span<const MatrixRow> action_matrix() noexcept;

/// All permissions of a role, in the scope that it is given for.
[[nodiscard]] ECP_EXPORT access::PermissionSet permissions_of(
    Role role, const access::PermissionRegistry& registry);

/// The permission that giving or taking a role in a scope needs. Fails with `invalid_argument` when
/// there is no such role at that level.
[[nodiscard]] ECP_EXPORT Result<const access::Permission*> permission_to_give(
    Role role, access::ScopeLevel level);

}  // namespace ecp::inline v0::rbac
