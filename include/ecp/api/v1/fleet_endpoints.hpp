// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Endpoints of fleet. What they are given outlives the router.

#include <ecp/api/router.hpp>
#include <ecp/core/export.hpp>

namespace ecp::inline v0::fleet {
class DesiredEngine;
class EdgeNodeRegistry;
class EdgeServiceRegistry;
class Enrollment;
class EnrollmentTokenRegistry;
}  // namespace ecp::inline v0::fleet

namespace ecp::inline v0::api {

/// `.../edgenodes`, `.../edgenodes/:node` and `.../edgenodes/:node/revoke`.
ECP_EXPORT void add_edge_node_endpoints(Router& router, fleet::EdgeNodeRegistry& nodes);
/// `.../edgeservices` and `.../edgeservices/:service`.
ECP_EXPORT void add_edge_service_endpoints(Router& router, fleet::EdgeServiceRegistry& services);
/// `.../edgeservices/:service/{values,history,samples}`.
ECP_EXPORT void add_value_endpoints(Router& router, fleet::EdgeServiceRegistry& services);
/// `.../edgeservices/:service/{commands,writes}`, `.../commands` and `.../commands/:command`.
ECP_EXPORT void add_command_endpoints(Router& router, fleet::EdgeServiceRegistry& services);
/// `.../enrollment-tokens` and `.../enrollment-tokens/:token`.
ECP_EXPORT void add_enrollment_endpoints(Router& router, fleet::EnrollmentTokenRegistry& tokens);
/// `/agent/v1/...`: what agents call, with a token, a signature or their certificate.
ECP_EXPORT void add_agent_link_endpoints(Router& router, fleet::Enrollment& enrollment,
                                         fleet::DesiredEngine& desired);

}  // namespace ecp::inline v0::api
