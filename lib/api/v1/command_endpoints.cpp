// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/permissions.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/v1/fleet_endpoints.hpp>
#include <ecp/fleet/edge_service_registry.hpp>

namespace ecp::inline v0::api {

namespace permissions = access::permissions;
using fleet::Command;
using fleet::EdgeServiceId;
using fleet::EdgeServiceRegistry;

namespace {

constexpr json::TextBounds tag_bounds{1, 200};
constexpr std::int64_t default_patience_s = 30;
constexpr std::int64_t max_patience_s = 3'600;

void write_json_field(json::Writer& writer, std::string_view name, const std::string& json) {
  writer.key(name);
  if (json.empty()) {
    writer.null();
  } else {
    writer.raw(json);
  }
}

void write_command(json::Writer& writer, const Command& command) {
  const auto& what = command.what;
  writer.begin_object().field("id", what.id.to_string());
  writer.field("service", what.service.to_string()).field("node", command.node.to_string());
  writer.field("action", what.action).field("tag", what.tag);
  write_json_field(writer, "requested_value", what.value_json);
  writer.field("state", link::to_string(command.state)).field("reason", command.reason);
  write_json_field(writer, "value", command.value_json);
  if (!what.writes.empty()) {
    writer.key("writes").raw(link::to_json(what.writes));
    writer.key("results").raw(link::to_json(command.results));
  }
  writer.field("expires_at", to_rfc3339(what.expires_at));
  writer.field("created_at", to_rfc3339(command.created_at)).key("finished_at");
  if (command.finished_at) {
    writer.value(to_rfc3339(*command.finished_at));
  } else {
    writer.null();
  }
  writer.field("revision", to_number(command.revision)).end_object();
}

http::Response command_response(int status, const Command& command) {
  json::Writer writer;
  write_command(writer, command);
  return json_response(status, writer.take(), command.revision);
}

Result<std::string> action_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  ECP_TRY(auto action, body.reader().choice("action", {"start", "stop", "restart"}));
  ECP_TRY_VOID(body.reader().finish());
  return action;
}

/// Values that somebody wants to have in data tags.
struct WriteRequest {
  bool is_single = true;
  std::vector<link::TagWrite> writes;
  Milliseconds expires_in{};
};

Result<link::TagWrite> write_from(json::Reader& reader) {
  link::TagWrite write;
  ECP_TRY(write.tag, reader.text("tag", tag_bounds));
  ECP_TRY(const auto value, reader.value("value"));
  if (!value.is_number() && !value.is_bool() && !value.is_string()) {
    return reader.bad("value", "must be a number, a boolean or text");
  }
  if (value.is_string() && value.get_string().size() > limits::sample_string) {
    return reader.bad("value", "is too long");
  }
  write.value_json = value.to_text();
  return write;
}

Result<std::vector<link::TagWrite>> writes_from(json::Reader& reader) {
  ECP_TRY(const auto items, reader.array("writes", link::writes_per_command));
  std::vector<link::TagWrite> writes;
  for (std::size_t i = 0; i < items.size(); ++i) {
    ECP_TRY(auto item, json::Reader::open(items[i], "writes[" + std::to_string(i) + "]"));
    ECP_TRY(auto write, write_from(item));
    ECP_TRY_VOID(item.finish());
    writes.push_back(std::move(write));
  }
  return writes;
}

/// One data tag, or "writes" with several.
Result<WriteRequest> write_request_from(const http::Request& request) {
  ECP_TRY(auto body, body_of(request));
  auto& reader = body.reader();
  WriteRequest wanted;
  wanted.is_single = !reader.has("writes");
  if (wanted.is_single) {
    ECP_TRY(auto write, write_from(reader));
    wanted.writes.push_back(std::move(write));
  } else {
    ECP_TRY(wanted.writes, writes_from(reader));
  }
  ECP_TRY(const auto seconds,
          reader.integer_or("expires_in_s", default_patience_s, 1, max_patience_s));
  wanted.expires_in = Milliseconds(seconds * 1'000);
  ECP_TRY_VOID(reader.finish());
  return wanted;
}

Result<Command> issue(EdgeServiceRegistry& services, const access::Grant& grant,
                      EdgeServiceId service, WriteRequest wanted) {
  if (!wanted.is_single) {
    return services.write_tags(grant, service, std::move(wanted.writes), wanted.expires_in);
  }
  const auto& write = wanted.writes.front();
  return services.write(grant, service, write.tag, write.value_json, wanted.expires_in);
}

}  // namespace

void add_command_endpoints(Router& router, EdgeServiceRegistry& services) {
  using Answer = Result<http::Response>;
  const std::string project = "/api/v1/orgs/:org/projects/:project";
  const std::string service = project + "/edgeservices/:service";
  router.add({http::Method::post, service + "/commands", &permissions::edge_service_control,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto action, action_from(request));
                ECP_TRY(const auto command,
                        services.control(grant, id_of<EdgeServiceId>(request, "service"), action));
                return command_response(202, command);
              }});
  router.add({http::Method::post, service + "/writes", &permissions::data_tag_write,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(auto wanted, write_request_from(request));
                const auto service_id = id_of<EdgeServiceId>(request, "service");
                ECP_TRY(const auto command, issue(services, grant, service_id, std::move(wanted)));
                return command_response(202, command);
              }});
  router.add({http::Method::get, project + "/commands", &permissions::edge_service_view,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto page, page_from(request));
                ECP_TRY(const auto found, services.list_commands(grant, page));
                return json_response(200, json_list(found, write_command));
              }});
  router.add({http::Method::get, project + "/commands/:command", &permissions::edge_service_view,
              [&services](const http::Request& request, const access::Grant& grant) -> Answer {
                ECP_TRY(const auto command,
                        services.get_command(grant, id_of<fleet::CommandId>(request, "command")));
                return command_response(200, command);
              }});
}

}  // namespace ecp::inline v0::api
