// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/bytes.hpp>
#include <ecp/core/json.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/kind/pipeline_config.hpp>

#include "fleet/live.hpp"

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

std::string live_json(const EdgeService& service) {
  const auto config = config_state(service);
  json::Writer writer;
  writer.begin_object()
      .field("id", service.id.to_string())
      .field("state", link::to_string(service.status.state))
      .field("reason", service.status.reason)
      .field("config_state", link::to_string(config))
      .field("config_reason",
             config == link::ResourceState::failed ? service.status.resource_reason : std::string())
      .end_object();
  return writer.take();
}

EdgeServiceSource::~EdgeServiceSource() = default;

Result<std::vector<DesiredResource>> EdgeServiceSource::resources(storage::Transaction& transaction,
                                                                  const EdgeNode& node) {
  ECP_TRY(const auto services, transaction.get<EdgeServiceStore>().list_of_node(node.id));
  std::vector<DesiredResource> resources;
  resources.reserve(services.size());
  for (const auto& service : services) {
    resources.push_back({resource_name(service.id), resource_body(service)});
  }
  return resources;
}

}  // namespace ecp::inline v0::fleet
