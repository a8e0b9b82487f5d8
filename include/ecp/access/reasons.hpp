// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of access (numbers 1300-1399).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::access::reasons {
inline constexpr Reason permission_denied{1300, "access.permission_denied",
                                          ErrorCode::permission_denied,
                                          "this needs the permission {permission}"};
/// One text for a foreign scope and for one that does not exist.
inline constexpr Reason no_such_scope{1301, "access.no_such_scope", ErrorCode::not_found,
                                      "there is no such organization or project"};
inline constexpr Reason rights_changed{
    1302, "access.rights_changed", ErrorCode::conflict,
    "your rights were changed while this was being done; nothing was changed, try again"};
inline constexpr Reason not_a_user{1303, "access.not_a_user", ErrorCode::permission_denied,
                                   "only a person who is logged in can do this"};
inline constexpr std::array access_catalogue{&permission_denied, &no_such_scope, &rights_changed,
                                             &not_a_user};
}  // namespace ecp::inline v0::access::reasons
