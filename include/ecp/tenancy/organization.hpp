// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Organizations and the projects in them.

#include <string>

#include <ecp/access/ids.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::tenancy {

/// A tenant.
struct Organization {
  access::OrganizationId id;
  Revision revision = Revision::none;
  Time created_at{};
  std::string name;  ///< Unique on the platform, without regard to ASCII case.
  std::string description;
};

/// A workspace inside an organization.
struct Project {
  access::ProjectId id;
  access::OrganizationId organization;
  Revision revision = Revision::none;
  Time created_at{};
  std::string name;  ///< Unique in its organization, without regard to ASCII case.
  std::string description;
};

}  // namespace ecp::inline v0::tenancy
