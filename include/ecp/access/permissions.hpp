// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// All permissions of the product. Some belong to features that are still to come; their names are
/// kept here so that roles are complete and never change under a user. Which role has which is in
/// rbac/role.hpp.

#include <array>

#include <ecp/access/permission.hpp>

namespace ecp::inline v0::access::permissions {

inline constexpr Permission organization_view{"organization.view", ScopeLevel::organization,
                                              "See an organization."};
inline constexpr Permission organization_create{"organization.create", ScopeLevel::platform,
                                                "Create an organization."};
inline constexpr Permission organization_edit{"organization.edit", ScopeLevel::organization,
                                              "Rename an organization and edit its limits."};
inline constexpr Permission organization_delete{"organization.delete", ScopeLevel::platform,
                                                "Delete an empty organization."};
inline constexpr Permission project_view{"project.view", ScopeLevel::project,
                                         "See a project's record."};
inline constexpr Permission project_create{"project.create", ScopeLevel::organization,
                                           "Create a project."};
inline constexpr Permission project_edit{"project.edit", ScopeLevel::project, "Rename a project."};
inline constexpr Permission project_delete{"project.delete", ScopeLevel::project,
                                           "Delete an empty project."};
inline constexpr Permission member_view{"member.view", ScopeLevel::project,
                                        "See who is a member, and in which role."};
inline constexpr Permission member_edit{"member.edit", ScopeLevel::project,
                                        "Add and remove members."};
inline constexpr Permission user_view{"user.view", ScopeLevel::project, "See users."};
inline constexpr Permission user_create{"user.create", ScopeLevel::project, "Create users."};
inline constexpr Permission user_invite{"user.invite", ScopeLevel::project,
                                        "Invite users by e-mail."};
inline constexpr Permission user_edit{"user.edit", ScopeLevel::project,
                                      "Edit the name and e-mail of users."};
inline constexpr Permission user_enable{"user.enable", ScopeLevel::platform,
                                        "Enable and disable users."};
inline constexpr Permission user_reset_password{
    "user.reset_password", ScopeLevel::platform,
    "Set another user's password, or make a log-in link for him."};
inline constexpr Permission user_delete{"user.delete", ScopeLevel::platform, "Delete users."};
inline constexpr Permission role_grant_system_admin{"role.grant_system_admin", ScopeLevel::platform,
                                                    "Make somebody system administrator."};
inline constexpr Permission role_grant_organization_admin{
    "role.grant_organization_admin", ScopeLevel::platform,
    "Make somebody administrator of an organization."};
inline constexpr Permission role_grant_project_admin{"role.grant_project_admin",
                                                     ScopeLevel::organization,
                                                     "Make somebody administrator of a project."};
inline constexpr Permission role_grant_organization_member{
    "role.grant_organization_member", ScopeLevel::organization, "Add somebody to an organization."};
inline constexpr Permission role_grant_member{
    "role.grant_member", ScopeLevel::project,
    "Make a member of the organization a member of a project."};
inline constexpr Permission audit_view{"audit.view", ScopeLevel::project, "Read the audit log."};
inline constexpr Permission task_view{"task.view", ScopeLevel::project,
                                      "Watch tasks and read their results."};
inline constexpr Permission platform_view{"platform.view", ScopeLevel::platform,
                                          "See the state and settings of the platform."};
inline constexpr Permission platform_edit_resources{"platform.edit_resources", ScopeLevel::platform,
                                                    "Edit resource settings."};
inline constexpr Permission platform_edit_settings{"platform.edit_settings", ScopeLevel::platform,
                                                   "Edit general settings."};
inline constexpr Permission platform_edit_pages{"platform.edit_pages", ScopeLevel::platform,
                                                "Edit logo, name and background of pages."};
inline constexpr Permission platform_edit_tracing{"platform.edit_tracing", ScopeLevel::platform,
                                                  "Edit trace and AI settings."};
inline constexpr Permission license_view{"license.view", ScopeLevel::platform,
                                         "See the license and its consumption."};
inline constexpr Permission license_edit{"license.edit", ScopeLevel::platform, "Upload a license."};
inline constexpr Permission license_allocate{"license.allocate", ScopeLevel::platform,
                                             "Allocate data tags to organizations."};
inline constexpr Permission edge_key_view{"edge_key.view", ScopeLevel::project,
                                          "Download the public key that edge services trust."};
inline constexpr Permission cluster_view{"cluster.view", ScopeLevel::project, "See clusters."};
inline constexpr Permission cluster_edit{"cluster.edit", ScopeLevel::project,
                                         "Enroll clusters and edit them."};
inline constexpr Permission cluster_agent_edit{"cluster.agent_edit", ScopeLevel::project,
                                               "Re-register and delete agents of clusters."};
inline constexpr Permission cluster_create{"cluster.create", ScopeLevel::project,
                                           "Create hosted clusters."};
inline constexpr Permission cluster_control{"cluster.control", ScopeLevel::project,
                                            "Start, stop, restart and repair clusters."};
inline constexpr Permission cluster_scale{
    "cluster.scale", ScopeLevel::project,
    "Change size, network, certificates and version of clusters."};
inline constexpr Permission cluster_limit{"cluster.limit", ScopeLevel::project,
                                          "Change the connection limit of clusters."};
inline constexpr Permission cluster_transfer{"cluster.transfer", ScopeLevel::project,
                                             "Transfer clusters to another project."};
inline constexpr Permission cluster_delete{"cluster.delete", ScopeLevel::project,
                                           "Delete clusters."};
inline constexpr Permission cluster_backup{"cluster.backup", ScopeLevel::project,
                                           "Make, restore and delete backups of clusters."};
inline constexpr Permission cluster_call_view{"cluster.call_view", ScopeLevel::project,
                                              "Read through the API of clusters."};
inline constexpr Permission cluster_call{"cluster.call", ScopeLevel::project,
                                         "Call the API of clusters."};
inline constexpr Permission edge_node_view{"edge_node.view", ScopeLevel::project,
                                           "See edge nodes."};
inline constexpr Permission edge_node_edit{"edge_node.edit", ScopeLevel::project,
                                           "Edit and remove edge nodes."};
inline constexpr Permission edge_node_revoke{"edge_node.revoke", ScopeLevel::project,
                                             "Cut an edge node off for good."};
inline constexpr Permission enrollment_token_view{"enrollment_token.view", ScopeLevel::project,
                                                  "See enrollment tokens."};
inline constexpr Permission enrollment_token_edit{"enrollment_token.edit", ScopeLevel::project,
                                                  "Create and delete enrollment tokens."};
inline constexpr Permission agent_view{"agent.view", ScopeLevel::project,
                                       "See agents that wait for enrollment."};
inline constexpr Permission agent_enroll{"agent.enroll", ScopeLevel::project,
                                         "Enroll waiting agents."};
inline constexpr Permission edge_service_view{"edge_service.view", ScopeLevel::project,
                                              "See edge services."};
inline constexpr Permission edge_service_edit{"edge_service.edit", ScopeLevel::project,
                                              "Create, edit and delete edge services."};
inline constexpr Permission edge_service_import{"edge_service.import", ScopeLevel::project,
                                                "Import edge services from a file."};
inline constexpr Permission edge_service_install{"edge_service.install", ScopeLevel::project,
                                                 "Install edge services on edge nodes."};
inline constexpr Permission edge_service_control{"edge_service.control", ScopeLevel::project,
                                                 "Start, stop and restart edge services."};
inline constexpr Permission edge_service_upgrade{"edge_service.upgrade", ScopeLevel::project,
                                                 "Upgrade edge services."};
inline constexpr Permission edge_service_sync{"edge_service.sync", ScopeLevel::project,
                                              "Read an edge service's whole configuration again."};
inline constexpr Permission edge_service_allocate_tags{
    "edge_service.allocate_tags", ScopeLevel::project,
    "Change the number of data tags of an edge service."};
inline constexpr Permission tunnel_view{"tunnel.view", ScopeLevel::project,
                                        "Open the pages of an edge service to look."};
inline constexpr Permission tunnel_open{"tunnel.open", ScopeLevel::project,
                                        "Open the pages of an edge service as administrator."};
inline constexpr Permission data_tag_view{"data_tag.view", ScopeLevel::project,
                                          "See values of data tags and their history."};
inline constexpr Permission data_tag_write{"data_tag.write", ScopeLevel::project,
                                           "Write to data tags."};
inline constexpr Permission label_view{"label.view", ScopeLevel::project, "See labels."};
inline constexpr Permission label_edit{"label.edit", ScopeLevel::project,
                                       "Edit and attach labels."};
inline constexpr Permission config_template_view{
    "config_template.view", ScopeLevel::project,
    "See and export configuration templates and plugins."};
inline constexpr Permission config_template_edit{
    "config_template.edit", ScopeLevel::project,
    "Edit and share configuration templates and plugins."};
inline constexpr Permission deployment_view{"deployment.view", ScopeLevel::project,
                                            "See what is deployed."};
inline constexpr Permission deployment_edit{"deployment.edit", ScopeLevel::project,
                                            "Deploy configurations."};
inline constexpr Permission monitor_view{"monitor.view", ScopeLevel::project,
                                         "See monitoring pages."};
inline constexpr Permission dashboard_edit{"dashboard.edit", ScopeLevel::project,
                                           "Edit dashboards."};
inline constexpr Permission alarm_view{"alarm.view", ScopeLevel::project, "See alarms."};
inline constexpr Permission alarm_edit{"alarm.edit", ScopeLevel::project,
                                       "Move, delete and calm alarms."};
inline constexpr Permission alarm_rule_view{"alarm_rule.view", ScopeLevel::project,
                                            "See alarm rules."};
inline constexpr Permission alarm_rule_edit{"alarm_rule.edit", ScopeLevel::project,
                                            "Edit alarm rules."};
inline constexpr Permission alarm_webhook_view{"alarm_webhook.view", ScopeLevel::project,
                                               "See where notices of alarms go."};
inline constexpr Permission alarm_webhook_edit{"alarm_webhook.edit", ScopeLevel::project,
                                               "Edit where notices of alarms go."};
inline constexpr Permission log_view{"log.view", ScopeLevel::project, "Search logs."};
inline constexpr Permission trace_view{"trace.view", ScopeLevel::project, "Query traces."};
inline constexpr Permission uns_view{"uns.view", ScopeLevel::project, "See the unified namespace."};
inline constexpr Permission uns_edit{"uns.edit", ScopeLevel::project,
                                     "Edit connections and names of the unified namespace."};
inline constexpr Permission uns_write{"uns.write", ScopeLevel::project,
                                      "Write through the unified namespace."};
inline constexpr Permission ai_chat{"ai.chat", ScopeLevel::project, "Ask questions in words."};

/// Every constant above.
inline constexpr std::array<const Permission*, 84> all{&organization_view,
                                                       &organization_create,
                                                       &organization_edit,
                                                       &organization_delete,
                                                       &project_view,
                                                       &project_create,
                                                       &project_edit,
                                                       &project_delete,
                                                       &member_view,
                                                       &member_edit,
                                                       &user_view,
                                                       &user_create,
                                                       &user_invite,
                                                       &user_edit,
                                                       &user_enable,
                                                       &user_reset_password,
                                                       &user_delete,
                                                       &role_grant_system_admin,
                                                       &role_grant_organization_admin,
                                                       &role_grant_project_admin,
                                                       &role_grant_organization_member,
                                                       &role_grant_member,
                                                       &audit_view,
                                                       &task_view,
                                                       &platform_view,
                                                       &platform_edit_resources,
                                                       &platform_edit_settings,
                                                       &platform_edit_pages,
                                                       &platform_edit_tracing,
                                                       &license_view,
                                                       &license_edit,
                                                       &license_allocate,
                                                       &edge_key_view,
                                                       &cluster_view,
                                                       &cluster_edit,
                                                       &cluster_agent_edit,
                                                       &cluster_create,
                                                       &cluster_control,
                                                       &cluster_scale,
                                                       &cluster_limit,
                                                       &cluster_transfer,
                                                       &cluster_delete,
                                                       &cluster_backup,
                                                       &cluster_call_view,
                                                       &cluster_call,
                                                       &edge_node_view,
                                                       &edge_node_edit,
                                                       &edge_node_revoke,
                                                       &enrollment_token_view,
                                                       &enrollment_token_edit,
                                                       &agent_view,
                                                       &agent_enroll,
                                                       &edge_service_view,
                                                       &edge_service_edit,
                                                       &edge_service_import,
                                                       &edge_service_install,
                                                       &edge_service_control,
                                                       &edge_service_upgrade,
                                                       &edge_service_sync,
                                                       &edge_service_allocate_tags,
                                                       &tunnel_view,
                                                       &tunnel_open,
                                                       &data_tag_view,
                                                       &data_tag_write,
                                                       &label_view,
                                                       &label_edit,
                                                       &config_template_view,
                                                       &config_template_edit,
                                                       &deployment_view,
                                                       &deployment_edit,
                                                       &monitor_view,
                                                       &dashboard_edit,
                                                       &alarm_view,
                                                       &alarm_edit,
                                                       &alarm_rule_view,
                                                       &alarm_rule_edit,
                                                       &alarm_webhook_view,
                                                       &alarm_webhook_edit,
                                                       &log_view,
                                                       &trace_view,
                                                       &uns_view,
                                                       &uns_edit,
                                                       &uns_write,
                                                       &ai_chat};

}  // namespace ecp::inline v0::access::permissions
