// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of rbac (numbers 1700-1799).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::rbac::reasons {
inline constexpr Reason bad_role{1700, "rbac.bad_role", ErrorCode::invalid_argument,
                                 "{role} is not a role that can be given {level}"};
inline constexpr Reason not_in_organization{
    1701, "rbac.not_in_organization", ErrorCode::failed_precondition,
    "only members of the organization can become members of its projects"};
inline constexpr Reason role_changed{1702, "rbac.role_changed", ErrorCode::conflict,
                                     "the member's role was changed meanwhile, try again"};
inline constexpr std::array rbac_catalogue{&bad_role, &not_in_organization, &role_changed};
}  // namespace ecp::inline v0::rbac::reasons
