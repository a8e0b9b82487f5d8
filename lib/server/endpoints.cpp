// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/v1/alarm_endpoints.hpp>
#include <ecp/server/server.hpp>

namespace ecp::inline v0::server {

void add_endpoints(api::Router& router, plane::ControlPlane& plane) {
  api::add_alarm_rule_endpoints(router, plane.alarm_rules());
  api::add_alarm_endpoints(router, plane.alarms());
  api::add_webhook_endpoints(router, plane.webhooks());
}

}  // namespace ecp::inline v0::server
