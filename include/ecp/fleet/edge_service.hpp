// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Edge services: instances of gateway software on edge nodes.

#include <string>

#include <ecp/access/grant.hpp>
#include <ecp/access/ids.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/time.hpp>
#include <ecp/fleet/ids.hpp>
#include <ecp/link/documents.hpp>

namespace ecp::inline v0::fleet {

/// What is known of a running service. Changes without a revision.
struct EdgeServiceStatus {
  link::ServiceState state = link::ServiceState::unknown;
  std::string reason;          ///< What is wrong; empty when nothing is.
  Time changed_at{};           ///< When `state` last changed.
  std::string wanted_sha256;   ///< Hex of the resource as last reported wanted by the agent.
  std::string applied_sha256;  ///< Hex of the resource in force at the agent.
  link::ResourceState resource = link::ResourceState::pending;
  std::string resource_reason;  ///< Why the wanted one failed.
};

/// One edge service.
struct EdgeService {
  EdgeServiceId id;
  access::OrganizationId organization;
  access::ProjectId project;
  EdgeNodeId node;
  std::string name;
  std::string kind;     ///< "pipeline"
  std::string runtime;  ///< "builtin"
  bool running = true;  ///< Desired.
  std::string config_json;
  Revision revision = Revision::first;
  Time created_at{};
  EdgeServiceStatus status;

  [[nodiscard]] access::Scope scope() const noexcept { return {organization, project}; }
};

/// Body of a service's resource in its node's manifest.
[[nodiscard]] ECP_EXPORT std::string resource_body(const EdgeService& service);
/// How far the agent is with the service as it is now wanted.
[[nodiscard]] ECP_EXPORT link::ResourceState config_state(const EdgeService& service);
/// Name of a service's resource in its node's manifest: "service/svc_...".
[[nodiscard]] inline std::string resource_name(EdgeServiceId service) {
  return "service/" + service.to_string();
}

}  // namespace ecp::inline v0::fleet
