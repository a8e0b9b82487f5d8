// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/fleet/edge_node_registry.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using fleet::EdgeNode;
using fleet::EdgeNodeId;
using fleet::EdgeNodeRegistry;

namespace {

void write_node(json::Writer& writer, const EdgeNode& node) {
  const auto& status = node.status;
  writer.begin_object().field("id", node.id.to_string()).field("name", node.name);
  writer.field("description", node.description).field("state", to_string(status.state));
  writer.field("revoked", node.revoked).key("last_seen");
  if (to_ms(status.last_seen) == 0) {
    writer.null();
  } else {
    writer.value(to_rfc3339(status.last_seen));
  }
  writer.field("version", status.version).field("generation", node.wanted.generation);
  writer.field("applied_generation", status.applied.generation);
  writer.field("buffered", status.buffered).field("dropped", status.dropped);
  writer.key("host").begin_object().field("load_1m", status.host.load_1m);
  writer.field("memory_total", status.host.memory_total);
  writer.field("memory_available", status.host.memory_available);
  writer.field("disk_free", status.host.disk_free).end_object();
  writer.field("created_at", to_rfc3339(node.created_at));
  writer.field("revision", to_number(node.revision)).end_object();
}

http::Response node_response(const EdgeNode& node) {
  json::Writer writer;
  write_node(writer, node);
  return json_response(200, writer.take(), node.revision);
}

Result<fleet::EdgeNodeQuery> query_from(const http::Request& request) {
  fleet::EdgeNodeQuery query;
  ECP_TRY(const auto state, request.query_value("state"));
  if (state) {
    ECP_TRY(query.state, fleet::parse_connection_state(*state));
  }
  ECP_TRY(const auto name, request.query_value("name"));
  query.name_contains = name.value_or("");
  return query;
}

Result<EdgeNodeRegistry::Changes> changes_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  EdgeNodeRegistry::Changes changes;
  ECP_TRY(changes.name, reader.optional_text("name"));
  ECP_TRY(changes.description,
          reader.optional_text("description", {0, limits::description_length}));
  ECP_TRY_VOID(reader.finish());
  return changes;
}

}  // namespace

void add_edge_node_endpoints(Router& router, EdgeNodeRegistry& nodes) {
  using Answer = Result<http::Response>;
  const std::string list = "/api/v1/orgs/:org/projects/:project/edgenodes";
  const std::string one = list + "/:node";
  router.add({http::Method::get, list, &permissions::edge_node_view,
              [&nodes](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto page, page_from(request, {"state", "name"}));
                ECP_TRY(auto query, query_from(request));
                ECP_TRY(const auto found, nodes.list(grant, std::move(query), page));
                return json_response(200, json_list(found, write_node));
              }});
  router.add({http::Method::get, one, &permissions::edge_node_view,
              [&nodes](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto node, nodes.get(grant, id_of<EdgeNodeId>(request, "node")));
                return node_response(node);
              }});
  router.add({http::Method::patch, one, &permissions::edge_node_edit,
              [&nodes](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY(const auto changes, changes_from(request));
                ECP_TRY(const auto node,
                        nodes.update(grant, id_of<EdgeNodeId>(request, "node"), revision, changes));
                return node_response(node);
              }});
  router.add({http::Method::del, one, &permissions::edge_node_edit,
              [&nodes](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto revision, if_match(request));
                ECP_TRY_VOID(nodes.remove(grant, id_of<EdgeNodeId>(request, "node"), revision));
                return empty_response();
              }});
  router.add({http::Method::post, one + "/revoke", &permissions::edge_node_revoke,
              [&nodes](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto node, nodes.revoke(grant, id_of<EdgeNodeId>(request, "node")));
                return node_response(node);
              }});
}

}  // namespace ecp::inline v0::api
