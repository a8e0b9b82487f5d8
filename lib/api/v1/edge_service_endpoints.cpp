// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/fleet/edge_service_registry.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using fleet::EdgeService;
using fleet::EdgeServiceId;
using fleet::EdgeServiceRegistry;

namespace {

void write_service(json::Writer& writer, const EdgeService& service) {
  const auto& status = service.status;
  const auto config_state = fleet::config_state(service);
  writer.begin_object().field("id", service.id.to_string()).field("name", service.name);
  writer.field("node", service.node.to_string()).field("kind", service.kind);
  writer.field("runtime", service.runtime).field("running", service.running);
  writer.key("config").raw(service.config_json);
  writer.field("state", link::to_string(status.state)).field("reason", status.reason);
  writer.field("config_state", link::to_string(config_state));
  const bool failed = config_state == link::ResourceState::failed;
  writer.field("config_reason", failed ? status.resource_reason : std::string());
  writer.field("created_at", to_rfc3339(service.created_at));
  writer.field("revision", to_number(service.revision)).end_object();
}

http::Response service_response(int status, const EdgeService& service) {
  json::Writer writer;
  write_service(writer, service);
  return json_response(status, writer.take(), service.revision);
}

Result<EdgeServiceRegistry::NewService> new_service_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  EdgeServiceRegistry::NewService wanted;
  ECP_TRY(wanted.name, reader.text("name"));
  ECP_TRY(wanted.node, reader.id<fleet::EdgeNodeId>("node"));
  ECP_TRY(wanted.kind, reader.text("kind"));
  ECP_TRY(wanted.runtime, reader.text("runtime"));
  ECP_TRY(const auto config, reader.value("config"));
  if (!config.is_object()) return reader.bad("config", "must be an object");
  wanted.config_json = config.to_text();
  ECP_TRY_VOID(reader.finish());
  return wanted;
}

Result<EdgeServiceRegistry::Changes> changes_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  EdgeServiceRegistry::Changes changes;
  ECP_TRY(changes.name, reader.optional_text("name"));
  if (const auto config = reader.optional_value("config")) {
    if (!config->is_object()) return reader.bad("config", "must be an object");
    changes.config_json = config->to_text();
  }
  ECP_TRY_VOID(reader.finish());
  return changes;
}

Result<fleet::EdgeServiceQuery> query_from(const http::Request& request) {
  fleet::EdgeServiceQuery query;
  ECP_TRY(const auto node, request.query_value("node"));
  if (node) {
    ECP_TRY(query.node, fleet::EdgeNodeId::parse(*node));
  }
  ECP_TRY(const auto name, request.query_value("name"));
  query.name_contains = name.value_or("");
  return query;
}

}  // namespace

void add_edge_service_endpoints(Router& router, EdgeServiceRegistry& services) {
  using Answer = Result<http::Response>;
  const std::string list = "/api/v1/orgs/:org/projects/:project/edgeservices";
  const std::string one = list + "/:service";
  router.add({http::Method::get, list, &permissions::edge_service_view,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto page, page_from(request, {"node", "name"}));
                ECP_TRY(auto query, query_from(request));
                ECP_TRY(const auto found, services.list(grant, std::move(query), page));
                return json_response(200, json_list(found, write_service));
              }});
  router.add({http::Method::post, list, &permissions::edge_service_edit,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto wanted, new_service_from(request));
                ECP_TRY(const auto service, services.create(grant, wanted));
                return service_response(201, service);
              }});
  router.add({http::Method::get, one, &permissions::edge_service_view,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto service,
                        services.get(grant, id_of<EdgeServiceId>(request, "service")));
                return service_response(200, service);
              }});
  router.add({http::Method::patch, one, &permissions::edge_service_edit,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY(const auto changes, changes_from(request));
                ECP_TRY(const auto service,
                        services.update(grant, id_of<EdgeServiceId>(request, "service"), revision,
                                        changes));
                return service_response(200, service);
              }});
  router.add({http::Method::del, one, &permissions::edge_service_edit,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(
                    services.remove(grant, id_of<EdgeServiceId>(request, "service"), revision));
                return empty_response();
              }});
}

}  // namespace ecp::inline v0::api
