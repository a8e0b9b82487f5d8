// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/role.hpp>

#include <array>

#include <doctest/doctest.h>

#include <ecp/access/permissions.hpp>

namespace {

using ecp::rbac::Role;
constexpr bool yes = true;
constexpr bool no = false;

struct Row {
  std::string_view permission;
  bool system_admin;
  bool organization_admin;  ///< In his own organization.
  bool project_admin;       ///< In his own project.
  bool member;              ///< In his own project.
};

// The published action matrix, cell by cell.
// clang-format off
constexpr Row matrix[] = {
    {"organization.view",              yes, yes, yes, no },
    {"organization.create",            yes, no , no , no },
    {"organization.edit",              yes, yes, no , no },
    {"organization.delete",            yes, no , no , no },
    {"project.view",                   yes, yes, yes, no },
    {"project.create",                 yes, yes, no , no },
    {"project.edit",                   yes, yes, yes, no },
    {"project.delete",                 yes, yes, yes, no },
    {"member.view",                    yes, yes, yes, no },
    {"member.edit",                    yes, yes, yes, no },
    {"user.view",                      yes, yes, yes, no },
    {"user.create",                    yes, yes, yes, no },
    {"user.invite",                    yes, yes, yes, no },
    {"user.edit",                      yes, yes, yes, no },
    {"user.enable",                    yes, no , no , no },
    {"user.reset_password",            yes, no , no , no },
    {"user.delete",                    yes, no , no , no },
    {"role.grant_system_admin",        yes, no , no , no },
    {"role.grant_organization_admin",  yes, no , no , no },
    {"role.grant_project_admin",       yes, yes, no , no },
    {"role.grant_organization_member", yes, yes, no , no },
    {"role.grant_member",              yes, yes, yes, no },
    {"audit.view",                     yes, yes, yes, no },
    {"task.view",                      yes, yes, yes, no },
    {"platform.view",                  yes, no , no , no },
    {"platform.edit_resources",        yes, no , no , no },
    {"platform.edit_settings",         yes, no , no , no },
    {"platform.edit_pages",            yes, no , no , no },
    {"platform.edit_tracing",          yes, no , no , no },
    {"license.view",                   yes, no , no , no },
    {"license.edit",                   yes, no , no , no },
    {"license.allocate",               yes, no , no , no },
    {"edge_key.view",                  yes, yes, yes, no },
    {"cluster.view",                   yes, yes, yes, yes},
    {"cluster.edit",                   yes, yes, yes, no },
    {"cluster.agent_edit",             yes, yes, yes, no },
    {"cluster.create",                 yes, yes, yes, no },
    {"cluster.control",                yes, yes, yes, no },
    {"cluster.scale",                  yes, yes, yes, no },
    {"cluster.limit",                  yes, yes, yes, no },
    {"cluster.transfer",               yes, yes, yes, no },
    {"cluster.delete",                 yes, yes, yes, no },
    {"cluster.backup",                 yes, yes, yes, no },
    {"cluster.call_view",              yes, yes, yes, yes},
    {"cluster.call",                   yes, yes, yes, no },
    {"edge_node.view",                 yes, yes, yes, yes},
    {"edge_node.edit",                 yes, yes, yes, no },
    {"edge_node.revoke",               yes, yes, yes, no },
    {"enrollment_token.view",          yes, yes, yes, no },
    {"enrollment_token.edit",          yes, yes, yes, no },
    {"agent.view",                     yes, yes, yes, no },
    {"agent.enroll",                   yes, yes, yes, no },
    {"edge_service.view",              yes, yes, yes, yes},
    {"edge_service.edit",              yes, yes, yes, no },
    {"edge_service.import",            yes, yes, yes, no },
    {"edge_service.install",           yes, yes, yes, no },
    {"edge_service.control",           yes, yes, yes, no },
    {"edge_service.upgrade",           yes, yes, yes, no },
    {"edge_service.sync",              yes, yes, yes, no },
    {"edge_service.allocate_tags",     yes, yes, yes, no },
    {"tunnel.view",                    yes, yes, yes, yes},
    {"tunnel.open",                    yes, yes, yes, no },
    {"data_tag.view",                  yes, yes, yes, yes},
    {"data_tag.write",                 yes, yes, yes, no },
    {"label.view",                     yes, yes, yes, yes},
    {"label.edit",                     yes, yes, yes, no },
    {"config_template.view",           yes, yes, yes, yes},
    {"config_template.edit",           yes, yes, yes, no },
    {"deployment.view",                yes, yes, yes, yes},
    {"deployment.edit",                yes, yes, yes, no },
    {"monitor.view",                   yes, yes, yes, yes},
    {"dashboard.edit",                 yes, yes, yes, no },
    {"alarm.view",                     yes, yes, yes, yes},
    {"alarm.edit",                     yes, yes, yes, no },
    {"alarm_rule.view",                yes, yes, yes, no },
    {"alarm_rule.edit",                yes, yes, yes, no },
    {"alarm_webhook.view",             yes, yes, yes, no },
    {"alarm_webhook.edit",             yes, yes, yes, no },
    {"log.view",                       yes, yes, yes, yes},
    {"trace.view",                     yes, yes, yes, yes},
    {"uns.view",                       yes, yes, yes, yes},
    {"uns.edit",                       yes, yes, yes, no },
    {"uns.write",                      yes, yes, yes, no },
    {"ai.chat",                        yes, yes, yes, yes},
};
// clang-format on

bool has(Role role, const ecp::access::Permission& permission) {
  const ecp::access::PermissionRegistry registry;
  return ecp::rbac::permissions_of(role, registry)
      .test(static_cast<std::size_t>(registry.index(permission)));
}

}  // namespace

TEST_SUITE("rbac.Role") {
  TEST_CASE("every cell of the action matrix is as published") {
    const ecp::access::PermissionRegistry registry;
    for (const Row& row : matrix) {
      CAPTURE(row.permission);
      const auto* const permission = registry.find(row.permission);
      REQUIRE(permission != nullptr);

      CHECK(has(Role::system_admin, *permission) == row.system_admin);
      CHECK(has(Role::organization_admin, *permission) == row.organization_admin);
      CHECK(has(Role::project_admin, *permission) == row.project_admin);
      CHECK(has(Role::member, *permission) == row.member);
    }
  }

  TEST_CASE("the matrix has exactly one row for each permission of the product [R13]") {
    const ecp::access::PermissionRegistry registry;

    CHECK(registry.all().size() == std::size(matrix));
    CHECK(ecp::rbac::action_matrix().size() == std::size(matrix));
    for (const auto* permission : registry.all()) {
      CAPTURE(permission->name);
      const auto rows = std::count_if(std::begin(matrix), std::end(matrix), [&](const Row& row) {
        return row.permission == permission->name;
      });
      CHECK(rows == 1);
    }
  }

  TEST_CASE("each role contains the next") {
    const ecp::access::PermissionRegistry registry;
    const auto of = [&](Role role) { return ecp::rbac::permissions_of(role, registry); };

    CHECK((of(Role::organization_admin) & ~of(Role::system_admin)).none());
    CHECK((of(Role::project_admin) & ~of(Role::organization_admin)).none());
    CHECK((of(Role::member) & ~of(Role::project_admin)).none());
    CHECK(of(Role::member).any());
  }

  TEST_CASE("a permission that no role knows belongs to system administrators alone") {
    static constexpr ecp::access::Permission odd{"vendor.odd.thing",
                                                 ecp::access::ScopeLevel::project, "Odd."};
    ecp::access::PermissionRegistry registry;
    const ecp::access::Permission* const added[] = {&odd};
    registry.add(added);
    const auto index = static_cast<std::size_t>(registry.index(odd));

    CHECK(ecp::rbac::permissions_of(Role::system_admin, registry).test(index));
    CHECK_FALSE(ecp::rbac::permissions_of(Role::organization_admin, registry).test(index));
  }

  TEST_CASE("roles are read by the names they are written with") {
    for (const auto role :
         {Role::system_admin, Role::organization_admin, Role::project_admin, Role::member}) {
      CHECK(ecp::rbac::role_from(ecp::rbac::to_string(role)).value() == role);
    }
    CHECK(ecp::rbac::role_from("owner").error().code() == ecp::ErrorCode::invalid_argument);
  }
}
