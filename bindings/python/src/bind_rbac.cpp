// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/membership_registry.hpp>

#include "handles.hpp"

namespace ecp_python {

void bind_rbac(py::module_& m) {
  namespace rbac = ecp::rbac;
  using ecp::access::Grant;
  using Members = rbac::MembershipRegistry;
  py::enum_<rbac::Role>(m, "Role", docstring("rbac::Role"))
      .value("system_admin", rbac::Role::system_admin)
      .value("organization_admin", rbac::Role::organization_admin)
      .value("project_admin", rbac::Role::project_admin)
      .value("member", rbac::Role::member);
  Record<rbac::Member>(m, "Member", "rbac::Member")
      .field("user", &rbac::Member::user)
      .field("role", &rbac::Member::role)
      .field("since", &rbac::Member::since);
  Record<rbac::OwnPlace>(m, "OwnPlace", "rbac::OwnPlace")
      .field("scope", &rbac::OwnPlace::scope)
      .field("organization", &rbac::OwnPlace::organization)
      .field("project", &rbac::OwnPlace::project)
      .field("role", &rbac::OwnPlace::role);

  RegistryClass<Members>(m, "MembershipRegistry", "rbac::MembershipRegistry")
      .method(
          "list",
          [](const Reached<Members>& self, const ecp::access::Scope& scope, std::int64_t limit,
             std::int64_t offset) {
            return self.call([&](Members& registry, const Grant& grant) {
              return registry.list(grant, scope, page(limit, offset));
            });
          },
          "scope"_a, "limit"_a = 50, "offset"_a = 0)
      .method("put", granted(&Members::put), "scope"_a, "user"_a, "role"_a)
      .method("put_by_email", granted(&Members::put_by_email), "scope"_a, "email"_a, "role"_a)
      .method("remove", granted(&Members::remove), "scope"_a, "user"_a)
      .method("own_places", granted(&Members::own_places))
      .method(
          "visible_organizations",
          [](const Reached<Members>& self, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Members& registry, const Grant& grant) {
              return registry.visible_organizations(grant, page(limit, offset));
            });
          },
          "limit"_a = 50, "offset"_a = 0)
      .method(
          "visible_projects",
          [](const Reached<Members>& self, ecp::access::OrganizationId organization,
             std::int64_t limit, std::int64_t offset) {
            return self.call([&](Members& registry, const Grant& grant) {
              return registry.visible_projects(grant, organization, page(limit, offset));
            });
          },
          "organization"_a, "limit"_a = 50, "offset"_a = 0);
}

}  // namespace ecp_python
