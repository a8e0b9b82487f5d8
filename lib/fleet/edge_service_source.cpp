// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::fleet {

EdgeServiceSource::~EdgeServiceSource() = default;

Result<std::vector<DesiredResource>> EdgeServiceSource::resources(storage::Transaction& transaction,
                                                                  const EdgeNode& node) {
  ECP_TRY(const auto services, transaction.get<EdgeServiceStore>().list_of_node(node.id));
  std::vector<DesiredResource> resources;
  for (const auto& service : services) {
    kind::ServiceResource resource;
    resource.id = service.id;
    resource.name = service.name;
    resource.kind = service.kind;
    resource.runtime = service.runtime;
    resource.running = service.running;
    resource.config_json = service.config_json;
    resources.push_back({resource_name(service.id), kind::to_json(resource)});
  }
  return resources;
}

}  // namespace ecp::inline v0::fleet
