// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/role.hpp>

#include <array>

#include <ecp/access/permissions.hpp>
#include <ecp/rbac/reasons.hpp>

namespace ecp::inline v0::rbac {
namespace {

namespace p = access::permissions;

constexpr std::array names{std::string_view("system_admin"), std::string_view("organization_admin"),
                           std::string_view("project_admin"), std::string_view("member")};

// clang-format off
constexpr MatrixRow matrix[] = {
    {&p::organization_view, Role::project_admin},
    {&p::organization_create, Role::system_admin},
    {&p::organization_edit, Role::organization_admin},
    {&p::organization_delete, Role::system_admin},
    {&p::project_view, Role::project_admin},
    {&p::project_create, Role::organization_admin},
    {&p::project_edit, Role::project_admin},
    {&p::project_delete, Role::project_admin},
    {&p::member_view, Role::project_admin},
    {&p::member_edit, Role::project_admin},
    {&p::user_view, Role::project_admin},
    {&p::user_create, Role::project_admin},
    {&p::user_invite, Role::project_admin},
    {&p::user_edit, Role::project_admin},
    {&p::user_enable, Role::system_admin},
    {&p::user_reset_password, Role::system_admin},
    {&p::user_delete, Role::system_admin},
    {&p::role_grant_system_admin, Role::system_admin},
    {&p::role_grant_organization_admin, Role::system_admin},
    {&p::role_grant_project_admin, Role::organization_admin},
    {&p::role_grant_organization_member, Role::organization_admin},
    {&p::role_grant_member, Role::project_admin},
    {&p::audit_view, Role::project_admin},
    {&p::task_view, Role::project_admin},
    {&p::platform_view, Role::system_admin},
    {&p::platform_edit_resources, Role::system_admin},
    {&p::platform_edit_settings, Role::system_admin},
    {&p::platform_edit_pages, Role::system_admin},
    {&p::platform_edit_tracing, Role::system_admin},
    {&p::license_view, Role::system_admin},
    {&p::license_edit, Role::system_admin},
    {&p::license_allocate, Role::system_admin},
    {&p::edge_key_view, Role::project_admin},
    {&p::cluster_view, Role::member},
    {&p::cluster_edit, Role::project_admin},
    {&p::cluster_agent_edit, Role::project_admin},
    {&p::cluster_create, Role::project_admin},
    {&p::cluster_control, Role::project_admin},
    {&p::cluster_scale, Role::project_admin},
    {&p::cluster_limit, Role::project_admin},
    {&p::cluster_transfer, Role::project_admin},
    {&p::cluster_delete, Role::project_admin},
    {&p::cluster_backup, Role::project_admin},
    {&p::cluster_call_view, Role::member},
    {&p::cluster_call, Role::project_admin},
    {&p::edge_node_view, Role::member},
    {&p::edge_node_edit, Role::project_admin},
    {&p::edge_node_revoke, Role::project_admin},
    {&p::enrollment_token_view, Role::project_admin},
    {&p::enrollment_token_edit, Role::project_admin},
    {&p::agent_view, Role::project_admin},
    {&p::agent_enroll, Role::project_admin},
    {&p::edge_service_view, Role::member},
    {&p::edge_service_edit, Role::project_admin},
    {&p::edge_service_import, Role::project_admin},
    {&p::edge_service_install, Role::project_admin},
    {&p::edge_service_control, Role::project_admin},
    {&p::edge_service_upgrade, Role::project_admin},
    {&p::edge_service_sync, Role::project_admin},
    {&p::edge_service_allocate_tags, Role::project_admin},
    {&p::tunnel_view, Role::member},
    {&p::tunnel_open, Role::project_admin},
    {&p::data_tag_view, Role::member},
    {&p::data_tag_write, Role::project_admin},
    {&p::label_view, Role::member},
    {&p::label_edit, Role::project_admin},
    {&p::config_template_view, Role::member},
    {&p::config_template_edit, Role::project_admin},
    {&p::deployment_view, Role::member},
    {&p::deployment_edit, Role::project_admin},
    {&p::monitor_view, Role::member},
    {&p::dashboard_edit, Role::project_admin},
    {&p::alarm_view, Role::member},
    {&p::alarm_edit, Role::project_admin},
    {&p::alarm_rule_view, Role::project_admin},
    {&p::alarm_rule_edit, Role::project_admin},
    {&p::alarm_webhook_view, Role::project_admin},
    {&p::alarm_webhook_edit, Role::project_admin},
    {&p::log_view, Role::member},
    {&p::trace_view, Role::member},
    {&p::uns_view, Role::member},
    {&p::uns_edit, Role::project_admin},
    {&p::uns_write, Role::project_admin},
    {&p::ai_chat, Role::member},
};
// clang-format on

}  // namespace

std::string_view to_string(Role role) noexcept { return names[static_cast<std::size_t>(role)]; }

Result<Role> role_from(std::string_view name) {
  for (std::size_t index = 0; index < names.size(); ++index) {
    if (names[index] == name) return static_cast<Role>(index);
  }
  return Error(reasons::bad_role, {{"role", std::string(name)}, {"level", "here"}});
}

std::span<const MatrixRow> action_matrix() noexcept { return matrix; }

access::PermissionSet permissions_of(Role role, const access::PermissionRegistry& registry) {
  access::PermissionSet set;
  if (role == Role::system_admin) {
    for (const auto* permission : registry.all()) {
      set.set(static_cast<std::size_t>(registry.index(*permission)));
    }
    return set;
  }
  for (const MatrixRow& row : matrix) {
    if (role <= row.narrowest) set.set(static_cast<std::size_t>(registry.index(*row.permission)));
  }
  return set;
}

Result<const access::Permission*> permission_to_give(Role role, access::ScopeLevel level) {
  using access::ScopeLevel;
  if (level == ScopeLevel::platform && role == Role::system_admin) {
    return &p::role_grant_system_admin;
  }
  if (level == ScopeLevel::organization) {
    if (role == Role::organization_admin) return &p::role_grant_organization_admin;
    if (role == Role::member) return &p::role_grant_organization_member;
  }
  if (level == ScopeLevel::project) {
    if (role == Role::project_admin) return &p::role_grant_project_admin;
    if (role == Role::member) return &p::role_grant_member;
  }
  constexpr std::array where{std::string_view("on the platform"),
                             std::string_view("in an organization"),
                             std::string_view("in a project")};
  return Error(reasons::bad_role, {{"role", std::string(to_string(role))},
                                   {"level", std::string(where[static_cast<std::size_t>(level)])}});
}

}  // namespace ecp::inline v0::rbac
