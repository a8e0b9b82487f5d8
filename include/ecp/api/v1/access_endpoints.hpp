// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Endpoints of people: who they are, where they may do what, and what they did.

#include <ecp/api/router.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0::audit {
class AuditRegistry;
}
namespace ecp::inline v0::identity {
class Bootstrap;
class SessionRegistry;
class UserRegistry;
}  // namespace ecp::inline v0::identity
namespace ecp::inline v0::rbac {
class MembershipRegistry;
}
namespace ecp::inline v0::tenancy {
class OrganizationRegistry;
class ProjectRegistry;
}  // namespace ecp::inline v0::tenancy

namespace ecp::inline v0::api {

/// `/api/v1/bootstrap`; as all registries below, it outlives the router.
ECP_EXPORT void add_bootstrap_endpoints(Router& router, identity::Bootstrap& bootstrap);
/// `/api/v1/session`, and `refresh`, `link`, `password` below it.
ECP_EXPORT void add_session_endpoints(Router& router, identity::SessionRegistry& sessions,
                                      identity::UserRegistry& users,
                                      rbac::MembershipRegistry& members);
/// `/api/v1/users` and `/api/v1/users/:user`.
ECP_EXPORT void add_user_endpoints(Router& router, identity::UserRegistry& users);
/// `/api/v1/orgs` and `/api/v1/orgs/:org`.
ECP_EXPORT void add_organization_endpoints(Router& router,
                                           tenancy::OrganizationRegistry& organizations,
                                           rbac::MembershipRegistry& members);
/// `.../projects` and `.../projects/:project`.
ECP_EXPORT void add_project_endpoints(Router& router, tenancy::ProjectRegistry& projects,
                                      rbac::MembershipRegistry& members);
/// `.../members` of the platform, of organizations and of projects.
ECP_EXPORT void add_member_endpoints(Router& router, rbac::MembershipRegistry& members);
/// `.../audit` of the platform, of organizations and of projects.
ECP_EXPORT void add_audit_endpoints(Router& router, audit::AuditRegistry& audit);

}  // namespace ecp::inline v0::api
