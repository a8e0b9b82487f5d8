// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/v1/access_endpoints.hpp>
#include <ecp/api/v1/alarm_endpoints.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/server/server.hpp>

namespace ecp::inline v0::server {

void add_endpoints(api::Router& router, plane::ControlPlane& plane) {
  api::add_bootstrap_endpoints(router, plane.bootstrap());
  api::add_session_endpoints(router, plane.sessions(), plane.users(), plane.members());
  api::add_user_endpoints(router, plane.users());
  api::add_organization_endpoints(router, plane.organizations(), plane.members());
  api::add_project_endpoints(router, plane.projects(), plane.members());
  api::add_member_endpoints(router, plane.members());
  api::add_audit_endpoints(router, plane.audit(), plane.store());
  api::add_edge_node_endpoints(router, plane.edge_nodes());
  api::add_edge_service_endpoints(router, plane.edge_services());
  api::add_value_endpoints(router, plane.edge_services());
  api::add_command_endpoints(router, plane.edge_services());
  api::add_enrollment_endpoints(router, plane.enrollment_tokens());
  api::add_agent_link_endpoints(router, plane.enrollment(), plane.desired());
  api::add_alarm_rule_endpoints(router, plane.alarm_rules());
  api::add_alarm_endpoints(router, plane.alarms());
  api::add_webhook_endpoints(router, plane.webhooks());
}

}  // namespace ecp::inline v0::server
