// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>

#include "handles.hpp"

namespace ecp_python {

namespace {

namespace fleet = ecp::fleet;
using ecp::access::Grant;
using fleet::Enrollment;
using Nodes = fleet::EdgeNodeRegistry;
using Services = fleet::EdgeServiceRegistry;
using Tokens = fleet::EnrollmentTokenRegistry;
using OptionalText = std::optional<std::string>;

void bind_node_records(py::module_& m) {
  py::enum_<fleet::ConnectionState>(m, "ConnectionState", docstring("fleet::ConnectionState"))
      .value("never", fleet::ConnectionState::never)
      .value("online", fleet::ConnectionState::online)
      .value("offline", fleet::ConnectionState::offline);
  Record<fleet::EdgeNodeStatus>(m, "EdgeNodeStatus", "fleet::EdgeNodeStatus")
      .field("state", &fleet::EdgeNodeStatus::state)
      .field("absent", &fleet::EdgeNodeStatus::absent)
      .field("connection", &fleet::EdgeNodeStatus::connection)
      .field("changed_at", &fleet::EdgeNodeStatus::changed_at)
      .field("last_seen", &fleet::EdgeNodeStatus::last_seen)
      .field("version", &fleet::EdgeNodeStatus::version)
      .field("applied", &fleet::EdgeNodeStatus::applied)
      .field("buffered", &fleet::EdgeNodeStatus::buffered)
      .field("dropped", &fleet::EdgeNodeStatus::dropped)
      .field("host", &fleet::EdgeNodeStatus::host)
      .field("flips", &fleet::EdgeNodeStatus::flips);
  Record<fleet::EdgeNode>(m, "EdgeNode", "fleet::EdgeNode")
      .field("id", &fleet::EdgeNode::id)
      .field("organization", &fleet::EdgeNode::organization)
      .field("project", &fleet::EdgeNode::project)
      .field("name", &fleet::EdgeNode::name)
      .field("description", &fleet::EdgeNode::description)
      .field("revision", &fleet::EdgeNode::revision)
      .field("created_at", &fleet::EdgeNode::created_at)
      .field("revoked", &fleet::EdgeNode::revoked)
      .field("wanted", &fleet::EdgeNode::wanted)
      .field("status", &fleet::EdgeNode::status)
      .method("scope", &fleet::EdgeNode::scope)
      .method("is_behind", &fleet::EdgeNode::is_behind)
      .method("is_ahead", &fleet::EdgeNode::is_ahead);
}

void bind_service_records(py::module_& m) {
  Record<fleet::EdgeServiceStatus>(m, "EdgeServiceStatus", "fleet::EdgeServiceStatus")
      .field("state", &fleet::EdgeServiceStatus::state)
      .field("reason", &fleet::EdgeServiceStatus::reason)
      .field("changed_at", &fleet::EdgeServiceStatus::changed_at)
      .field("resource", &fleet::EdgeServiceStatus::resource)
      .field("resource_reason", &fleet::EdgeServiceStatus::resource_reason);
  Record<fleet::EdgeService>(m, "EdgeService", "fleet::EdgeService")
      .field("id", &fleet::EdgeService::id)
      .field("organization", &fleet::EdgeService::organization)
      .field("project", &fleet::EdgeService::project)
      .field("node", &fleet::EdgeService::node)
      .field("name", &fleet::EdgeService::name)
      .field("kind", &fleet::EdgeService::kind)
      .field("runtime", &fleet::EdgeService::runtime)
      .field("running", &fleet::EdgeService::running)
      .field("config_json", &fleet::EdgeService::config_json)
      .field("revision", &fleet::EdgeService::revision)
      .field("created_at", &fleet::EdgeService::created_at)
      .field("status", &fleet::EdgeService::status)
      .method("scope", &fleet::EdgeService::scope);
  Record<ecp::link::TagWrite>(m, "TagWrite", "link::TagWrite")
      .field("tag", &ecp::link::TagWrite::tag)
      .field("value_json", &ecp::link::TagWrite::value_json);
  Record<ecp::link::TagResult>(m, "TagResult", "link::TagResult")
      .field("tag", &ecp::link::TagResult::tag)
      .field("state", &ecp::link::TagResult::state)
      .field("reason", &ecp::link::TagResult::reason)
      .field("value_json", &ecp::link::TagResult::value_json);
  Record<ecp::link::Command>(m, "CommandContent", "link::Command")
      .field("id", &ecp::link::Command::id)
      .field("expires_at", &ecp::link::Command::expires_at)
      .field("action", &ecp::link::Command::action)
      .field("service", &ecp::link::Command::service)
      .field("tag", &ecp::link::Command::tag)
      .field("value_json", &ecp::link::Command::value_json)
      .field("writes", &ecp::link::Command::writes);
  Record<fleet::Command>(m, "Command", "fleet::Command")
      .field("what", &fleet::Command::what)
      .field("node", &fleet::Command::node)
      .field("state", &fleet::Command::state)
      .field("reason", &fleet::Command::reason)
      .field("value_json", &fleet::Command::value_json)
      .field("results", &fleet::Command::results)
      .field("revision", &fleet::Command::revision)
      .field("created_at", &fleet::Command::created_at)
      .field("sent_at", &fleet::Command::sent_at)
      .field("finished_at", &fleet::Command::finished_at);
  Record<Services::History>(m, "History", "fleet::EdgeServiceRegistry::History")
      .field("points", &Services::History::points)
      .field("gaps", &Services::History::gaps);
}

void bind_token_records(py::module_& m) {
  bind_id<fleet::EnrollmentTokenId>(m, "EnrollmentTokenId");
  Record<fleet::EnrollmentToken>(m, "EnrollmentToken", "fleet::EnrollmentToken")
      .field("id", &fleet::EnrollmentToken::id)
      .field("organization", &fleet::EnrollmentToken::organization)
      .field("project", &fleet::EnrollmentToken::project)
      .field("name", &fleet::EnrollmentToken::name)
      .field("uses", &fleet::EnrollmentToken::uses)
      .field("used", &fleet::EnrollmentToken::used)
      .field("created_at", &fleet::EnrollmentToken::created_at)
      .field("expires_at", &fleet::EnrollmentToken::expires_at)
      .field("revision", &fleet::EnrollmentToken::revision);
  Record<Tokens::Created>(m, "CreatedEnrollmentToken", "fleet::EnrollmentTokenRegistry::Created")
      .field("token", &Tokens::Created::token)
      .field("text", &Tokens::Created::text);
  Record<fleet::EnrollmentAnswer>(m, "EnrollmentAnswer", "fleet::EnrollmentAnswer")
      .field("agent", &fleet::EnrollmentAnswer::agent)
      .field("certificate_chain_pem", &fleet::EnrollmentAnswer::certificate_chain_pem)
      .field("root_pem", &fleet::EnrollmentAnswer::root_pem)
      .field("link", &fleet::EnrollmentAnswer::link);
}

void bind_tokens(py::module_& m) {
  RegistryClass<Tokens>(m, "EnrollmentTokenRegistry", "fleet::EnrollmentTokenRegistry")
      .method(
          "create",
          [](const Reached<Tokens>& self, std::string name, std::int64_t uses,
             ecp::Milliseconds expires_in) {
            return self.call([&](Tokens& registry, const Grant& grant) {
              return registry.create(grant, {std::move(name), uses, expires_in});
            });
          },
          "name"_a, "uses"_a = 1, "expires_in"_a = fleet::longest_token_life)
      .method(
          "list",
          [](const Reached<Tokens>& self, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Tokens& registry, const Grant& grant) {
              return registry.list(grant, page(limit, offset));
            });
          },
          "limit"_a = 50, "offset"_a = 0)
      .method("remove", granted(&Tokens::remove), "id"_a);
  RegistryClass<Enrollment>(m, "Enrollment", "fleet::Enrollment")
      .method(
          "enroll",
          [](const Reached<Enrollment>& self, const ecp::Secret& token, std::string_view csr_pem,
             std::string_view name) {
            return self.plane->use([&](ecp::plane::ControlPlane& control) {
              return unwrap(control.enrollment().enroll(token.view(), csr_pem, name, {}));
            });
          },
          "token"_a, "csr_pem"_a, "name"_a);
}

void bind_nodes(py::module_& m) {
  RegistryClass<Nodes>(m, "EdgeNodeRegistry", "fleet::EdgeNodeRegistry")
      .method("get", granted(&Nodes::get), "id"_a)
      .method(
          "list",
          [](const Reached<Nodes>& self, std::string name_contains,
             std::optional<fleet::ConnectionState> state, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Nodes& registry, const Grant& grant) {
              return registry.list(grant, {{}, std::move(name_contains), state},
                                   page(limit, offset));
            });
          },
          "name_contains"_a = "", "state"_a = py::none(), "limit"_a = 50, "offset"_a = 0)
      .method(
          "update",
          [](const Reached<Nodes>& self, fleet::EdgeNodeId id, ecp::Revision revision,
             OptionalText name, OptionalText description) {
            return self.call([&](Nodes& registry, const Grant& grant) {
              return registry.update(grant, id, revision,
                                     {std::move(name), std::move(description)});
            });
          },
          "id"_a, "revision"_a, "name"_a = py::none(), "description"_a = py::none())
      .method("revoke", granted(&Nodes::revoke), "id"_a)
      .method("remove", granted(&Nodes::remove), "id"_a, "revision"_a);
}

void bind_services(py::module_& m) {
  RegistryClass<Services>(m, "EdgeServiceRegistry", "fleet::EdgeServiceRegistry")
      .method(
          "create",
          [](const Reached<Services>& self, std::string name, fleet::EdgeNodeId node,
             std::string config_json, std::string kind, std::string runtime) {
            return self.call([&](Services& registry, const Grant& grant) {
              return registry.create(grant, {std::move(name), node, std::move(kind),
                                             std::move(runtime), std::move(config_json)});
            });
          },
          "name"_a, "node"_a, "config_json"_a, "kind"_a = "pipeline", "runtime"_a = "builtin")
      .method("get", granted(&Services::get), "id"_a)
      .method(
          "list",
          [](const Reached<Services>& self, std::string name_contains,
             std::optional<fleet::EdgeNodeId> node, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Services& registry, const Grant& grant) {
              return registry.list(grant, {{}, std::move(name_contains), node},
                                   page(limit, offset));
            });
          },
          "name_contains"_a = "", "node"_a = py::none(), "limit"_a = 50, "offset"_a = 0)
      .method(
          "update",
          [](const Reached<Services>& self, fleet::EdgeServiceId id, ecp::Revision revision,
             OptionalText name, OptionalText config_json) {
            return self.call([&](Services& registry, const Grant& grant) {
              return registry.update(grant, id, revision,
                                     {std::move(name), std::move(config_json)});
            });
          },
          "id"_a, "revision"_a, "name"_a = py::none(), "config_json"_a = py::none())
      .method("remove", granted(&Services::remove), "id"_a, "revision"_a)
      .method("control", granted(&Services::control), "id"_a, "action"_a)
      .method(
          "write",
          [](const Reached<Services>& self, fleet::EdgeServiceId id, std::string_view tag,
             const ecp::series::Value& value, ecp::Milliseconds expires_in) {
            return self.call([&](Services& registry, const Grant& grant) {
              return registry.write(grant, id, tag, ecp::series::to_json(value), expires_in);
            });
          },
          "id"_a, "tag"_a, "value"_a, "expires_in"_a = ecp::Milliseconds(30'000))
      .method(
          "write_tags",
          [](const Reached<Services>& self, fleet::EdgeServiceId id,
             const std::vector<std::pair<std::string, ecp::series::Value>>& writes,
             ecp::Milliseconds expires_in) {
            std::vector<ecp::link::TagWrite> wanted;
            for (const auto& [tag, value] : writes) {
              wanted.push_back({tag, ecp::series::to_json(value)});
            }
            return self.call([&](Services& registry, const Grant& grant) {
              return registry.write_tags(grant, id, std::move(wanted), expires_in);
            });
          },
          "id"_a, "writes"_a, "expires_in"_a = ecp::Milliseconds(30'000))
      .method("get_command", granted(&Services::get_command), "id"_a)
      .method(
          "list_commands",
          [](const Reached<Services>& self, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Services& registry, const Grant& grant) {
              return registry.list_commands(grant, page(limit, offset));
            });
          },
          "limit"_a = 50, "offset"_a = 0)
      .method("values", granted(&Services::values), "id"_a)
      .method("history", granted(&Services::history), "id"_a, "tag"_a, "from_"_a, "to"_a,
              "points"_a = 300)
      .method("samples", granted(&Services::samples), "id"_a, "tag"_a, "from_"_a, "to"_a,
              "limit"_a = 1000);
}

}  // namespace

void bind_fleet(py::module_& m) {
  bind_node_records(m);
  bind_service_records(m);
  bind_token_records(m);
  bind_tokens(m);
  bind_nodes(m);
  bind_services(m);
}

}  // namespace ecp_python
