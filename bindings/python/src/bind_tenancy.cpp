// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>

#include <ecp/tenancy/registries.hpp>

#include "handles.hpp"

namespace ecp_python {

namespace {

namespace tenancy = ecp::tenancy;
using ecp::access::Grant;
using ecp::access::OrganizationId;
using Organizations = tenancy::OrganizationRegistry;
using Projects = tenancy::ProjectRegistry;
using OptionalText = std::optional<std::string>;

void bind_organizations(py::module_& m) {
  RegistryClass<Organizations>(m, "OrganizationRegistry", "tenancy::OrganizationRegistry")
      .method(
          "create",
          [](const Reached<Organizations>& self, std::string name, std::string description) {
            return self.call([&](Organizations& registry, const Grant& grant) {
              return registry.create(grant, {std::move(name), std::move(description)});
            });
          },
          "name"_a, "description"_a = "")
      .method("get", granted(&Organizations::get), "id"_a)
      .method(
          "list",
          [](const Reached<Organizations>& self, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Organizations& registry, const Grant& grant) {
              return registry.list(grant, page(limit, offset));
            });
          },
          "limit"_a = 50, "offset"_a = 0)
      .method(
          "update",
          [](const Reached<Organizations>& self, OrganizationId id, ecp::Revision revision,
             OptionalText name, OptionalText description) {
            return self.call([&](Organizations& registry, const Grant& grant) {
              return registry.update(grant, id, revision,
                                     {std::move(name), std::move(description)});
            });
          },
          "id"_a, "revision"_a, "name"_a = py::none(), "description"_a = py::none())
      .method("remove", granted(&Organizations::remove), "id"_a, "revision"_a);
}

void bind_projects(py::module_& m) {
  RegistryClass<Projects>(m, "ProjectRegistry", "tenancy::ProjectRegistry")
      .method(
          "create",
          [](const Reached<Projects>& self, OrganizationId organization, std::string name,
             std::string description) {
            return self.call([&](Projects& registry, const Grant& grant) {
              return registry.create(grant, organization,
                                     {std::move(name), std::move(description)});
            });
          },
          "organization"_a, "name"_a, "description"_a = "")
      .method("get", granted(&Projects::get), "scope"_a)
      .method(
          "list",
          [](const Reached<Projects>& self, OrganizationId organization, std::int64_t limit,
             std::int64_t offset) {
            return self.call([&](Projects& registry, const Grant& grant) {
              return registry.list(grant, organization, page(limit, offset));
            });
          },
          "organization"_a, "limit"_a = 50, "offset"_a = 0)
      .method(
          "update",
          [](const Reached<Projects>& self, const ecp::access::Scope& scope, ecp::Revision revision,
             OptionalText name, OptionalText description) {
            return self.call([&](Projects& registry, const Grant& grant) {
              return registry.update(grant, scope, revision,
                                     {std::move(name), std::move(description)});
            });
          },
          "scope"_a, "revision"_a, "name"_a = py::none(), "description"_a = py::none())
      .method("remove", granted(&Projects::remove), "scope"_a, "revision"_a);
}

}  // namespace

void bind_tenancy(py::module_& m) {
  Record<tenancy::Organization>(m, "Organization", "tenancy::Organization")
      .field("id", &tenancy::Organization::id)
      .field("revision", &tenancy::Organization::revision)
      .field("created_at", &tenancy::Organization::created_at)
      .field("name", &tenancy::Organization::name)
      .field("description", &tenancy::Organization::description);
  Record<tenancy::Project>(m, "Project", "tenancy::Project")
      .field("id", &tenancy::Project::id)
      .field("organization", &tenancy::Project::organization)
      .field("revision", &tenancy::Project::revision)
      .field("created_at", &tenancy::Project::created_at)
      .field("name", &tenancy::Project::name)
      .field("description", &tenancy::Project::description);
  bind_organizations(m);
  bind_projects(m);
}

}  // namespace ecp_python
