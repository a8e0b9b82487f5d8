// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Ids of the fleet.

#include <string_view>

#include <ecp/core/id.hpp>
#include <ecp/link/ids.hpp>

namespace ecp::inline v0::fleet {

using link::CommandId;
using link::EdgeNodeId;
using link::EdgeServiceId;

struct EnrollmentTokenTag {
  static constexpr std::string_view prefix = "etok";
};
using EnrollmentTokenId = Id<EnrollmentTokenTag>;

}  // namespace ecp::inline v0::fleet
