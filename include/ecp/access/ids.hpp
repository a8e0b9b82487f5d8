// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Ids of who and where.

#include <string_view>

#include <ecp/core/id.hpp>

namespace ecp::inline v0::access {

struct OrganizationTag {
  static constexpr std::string_view prefix = "org";
};
struct ProjectTag {
  static constexpr std::string_view prefix = "prj";
};
struct UserTag {
  static constexpr std::string_view prefix = "user";
};

using OrganizationId = Id<OrganizationTag>;
using ProjectId = Id<ProjectTag>;
using UserId = Id<UserTag>;

}  // namespace ecp::inline v0::access
