// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Endpoints of log-in, people, organizations, projects and the audit log.

#include <ecp/api/router.hpp>
#include <ecp/core/export.hpp>
#include <ecp/storage/store.hpp>

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

// What is given to these functions outlives the router.

/// `/api/v1/bootstrap`.
ECP_EXPORT void add_bootstrap_endpoints(Router& router, identity::Bootstrap& bootstrap);
/// `/api/v1/session` and below it.
ECP_EXPORT void add_session_endpoints(Router& router, identity::SessionRegistry& sessions,
                                      identity::UserRegistry& users,
                                      rbac::MembershipRegistry& members);
/// `/api/v1/users` and below it.
ECP_EXPORT void add_user_endpoints(Router& router, identity::UserRegistry& users);
/// `/api/v1/orgs` and `/api/v1/orgs/:org`.
ECP_EXPORT void add_organization_endpoints(Router& router,
                                           tenancy::OrganizationRegistry& organizations,
                                           rbac::MembershipRegistry& members);
/// `/api/v1/orgs/:org/projects` and `.../:project`.
ECP_EXPORT void add_project_endpoints(Router& router, tenancy::ProjectRegistry& projects,
                                      rbac::MembershipRegistry& members);
/// `.../members` of the platform, an organization and a project.
ECP_EXPORT void add_member_endpoints(Router& router, rbac::MembershipRegistry& members);
/// `.../audit` of the platform, an organization and a project. What people and agents are called is
/// read from the store.
ECP_EXPORT void add_audit_endpoints(Router& router, audit::AuditRegistry& audit,
                                    storage::Store& store);

}  // namespace ecp::inline v0::api
