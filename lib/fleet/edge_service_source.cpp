// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/bytes.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::fleet {

std::string resource_body(const EdgeService& service) {
  kind::ServiceResource resource;
  resource.id = service.id;
  resource.name = service.name;
  resource.kind = service.kind;
  resource.runtime = service.runtime;
  resource.running = service.running;
  resource.config_json = service.config_json;
  return kind::to_json(resource);
}

link::ResourceState config_state(const EdgeService& service) {
  const bool current = service.status.wanted_sha256 == to_hex(sha256(resource_body(service)));
  return current ? service.status.resource : link::ResourceState::pending;
}

EdgeServiceSource::~EdgeServiceSource() = default;

Result<std::vector<DesiredResource>> EdgeServiceSource::resources(storage::Transaction& transaction,
                                                                  const EdgeNode& node) {
  ECP_TRY(const auto services, transaction.get<EdgeServiceStore>().list_of_node(node.id));
  std::vector<DesiredResource> resources;
  for (const auto& service : services) {
    resources.push_back({resource_name(service.id), resource_body(service)});
  }
  return resources;
}

}  // namespace ecp::inline v0::fleet
