// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/edge_service_registry.hpp>

#include <set>

#include <ecp/access/permissions.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/fleet/reasons.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::fleet {
namespace {

namespace permissions = access::permissions;

audit::Subject subject_of(const EdgeService& service) {
  return {"edge_service", service.id.to_string(), service.name};
}

constexpr std::size_t most_write_octets = 48 * kibibyte;  // So that they fit into one message.

Result<void> check_tag(const kind::PipelineConfig& config, const std::string& tag) {
  if (kind::find_tag(config, tag) != nullptr) return {};
  return Error(reasons::unknown_tag, {{"tag", tag}});
}

Error bad_field(std::string field, std::string problem) {
  return {ecp::reasons::bad_field, {{"field", std::move(field)}, {"problem", std::move(problem)}}};
}

/// With what is beside it in the resource it must fit the desired state.
Result<void> check_config_size(std::string_view config_json) {
  if (config_json.size() <= limits::service_config) return {};
  return Error(ecp::reasons::over_limit, {{"what", "the number of octets of config"},
                                          {"limit", std::to_string(limits::service_config)}});
}

/// So many that a node's desired state holds them all.
Result<void> check_room(storage::Transaction& transaction, const EdgeNode& node) {
  EdgeServiceQuery query;
  query.project = node.project;
  query.node = node.id;
  ECP_TRY(const auto page, transaction.get<EdgeServiceStore>().list(query, {1, 0}));
  if (page.total < static_cast<std::int64_t>(limits::services_per_node)) return {};
  return Error(ecp::reasons::over_limit, {{"what", "the number of edge services of the edge node"},
                                          {"limit", std::to_string(limits::services_per_node)}});
}

Result<EdgeService> make_service(storage::Transaction& transaction, const access::Grant& grant,
                                 const EdgeServiceRegistry::NewService& wanted, Env env) {
  ECP_TRY(const auto node,
          transaction.get<EdgeNodeStore>().get(grant.scope().project, wanted.node));
  if (node.revoked) return Error(reasons::node_revoked, {{"name", node.name}});
  ECP_TRY_VOID(check_room(transaction, node));
  EdgeService service;
  service.id = env.ids.next<EdgeServiceId>();
  service.organization = grant.scope().organization;
  service.project = grant.scope().project;
  service.node = node.id;
  service.name = wanted.name;
  service.kind = wanted.kind;
  service.runtime = wanted.runtime;
  service.config_json = wanted.config_json;
  service.created_at = env.clock.now();
  service.status.changed_at = service.created_at;
  return service;
}

}  // namespace

EdgeServiceRegistry::EdgeServiceRegistry(const Parts& parts, Env env) : parts_(parts), env_(env) {}

Result<EdgeService> EdgeServiceRegistry::create(const access::Grant& grant,
                                                const NewService& wanted) {
  ECP_TRY_VOID(grant.require(permissions::edge_service_edit, grant.scope()));
  ECP_TRY_VOID(check_name("name", wanted.name));
  ECP_TRY_VOID(check_config_size(wanted.config_json));
  ECP_TRY_VOID(kind::check_service(parts_.kinds, parts_.runtimes, wanted.kind, wanted.runtime,
                                   wanted.config_json));
  return access::write(
      parts_.store, grant, [&](storage::Transaction& transaction) -> Result<EdgeService> {
        ECP_TRY(auto service, make_service(transaction, grant, wanted, env_));
        ECP_TRY_VOID(transaction.get<EdgeServiceStore>().insert(service));
        ECP_TRY_VOID(parts_.desired.touch(transaction, service.node));
        ECP_TRY_VOID(audit::append(transaction, grant, operations::edge_service_create,
                                   subject_of(service),
                                   {{"node", service.node.to_string()},
                                    {"kind", service.kind},
                                    {"config_sha256", to_hex(sha256(service.config_json))}}));
        return service;
      });
}

Result<EdgeService> EdgeServiceRegistry::get(const access::Grant& grant, EdgeServiceId id) {
  ECP_TRY_VOID(grant.require(permissions::edge_service_view, grant.scope()));
  return parts_.store.read([&](storage::Transaction& transaction) {
    return transaction.get<EdgeServiceStore>().get(grant.scope().project, id);
  });
}

Result<Page<EdgeService>> EdgeServiceRegistry::list(const access::Grant& grant,
                                                    EdgeServiceQuery query, PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::edge_service_view, grant.scope()));
  query.project = grant.scope().project;
  return parts_.store.read([&](storage::Transaction& transaction) {
    return transaction.get<EdgeServiceStore>().list(query, page);
  });
}

Result<EdgeService> EdgeServiceRegistry::update(const access::Grant& grant, EdgeServiceId id,
                                                Revision revision, const Changes& changes) {
  ECP_TRY_VOID(grant.require(permissions::edge_service_edit, grant.scope()));
  if (changes.name) ECP_TRY_VOID(check_name("name", *changes.name));
  if (changes.config_json) {
    ECP_TRY_VOID(check_config_size(*changes.config_json));
    ECP_TRY(const auto current, get(grant, id));
    ECP_TRY_VOID(kind::check_service(parts_.kinds, parts_.runtimes, current.kind, current.runtime,
                                     *changes.config_json));
  }
  return access::write(
      parts_.store, grant, [&](storage::Transaction& transaction) -> Result<EdgeService> {
        auto& services = transaction.get<EdgeServiceStore>();
        ECP_TRY(auto service, services.get(grant.scope().project, id));
        audit::Details details;
        details.emplace_back("config_sha256_before", to_hex(sha256(service.config_json)));
        if (changes.name) service.name = *changes.name;
        if (changes.config_json) service.config_json = *changes.config_json;
        details.emplace_back("config_sha256", to_hex(sha256(service.config_json)));
        service.revision = revision;
        ECP_TRY(service.revision, services.update(service));
        ECP_TRY_VOID(parts_.desired.touch(transaction, service.node));
        ECP_TRY_VOID(audit::append(transaction, grant, operations::edge_service_update,
                                   subject_of(service), std::move(details)));
        return service;
      });
}

Result<void> EdgeServiceRegistry::remove(const access::Grant& grant, EdgeServiceId id,
                                         Revision revision) {
  ECP_TRY_VOID(grant.require(permissions::edge_service_edit, grant.scope()));
  const auto project = grant.scope().project;
  const auto unit = [&](storage::Transaction& transaction) -> Result<void> {
    auto& services = transaction.get<EdgeServiceStore>();
    ECP_TRY(const auto service, services.get(project, id));
    if (service.revision != revision) {
      return Error(ecp::reasons::stale_revision, {{"noun", "edge service"}});
    }
    ECP_TRY_VOID(parts_.observer.service_removed(transaction, service));
    ECP_TRY_VOID(services.remove(project, id));
    ECP_TRY_VOID(parts_.desired.touch(transaction, service.node));
    return audit::append(transaction, grant, operations::edge_service_remove, subject_of(service));
  };
  ECP_TRY_VOID(access::write(parts_.store, grant, unit));
  if (auto removed = parts_.series.remove({project.bytes(), id.bytes()}); !removed) {
    env_.log.warning("fleet", "the values of a removed service stay until they are too old",
                     {{"service", id.to_string()}, {"error", removed.error().describe()}});
  }
  return {};
}

Result<Command> EdgeServiceRegistry::issue(storage::Transaction& transaction,
                                           const access::Grant& grant, const EdgeService& service,
                                           link::Command what) {
  ECP_TRY(const auto node,
          transaction.get<EdgeNodeStore>().get(grant.scope().project, service.node));
  if (node.revoked) return Error(reasons::node_revoked, {{"name", node.name}});
  Command command;
  command.what = std::move(what);
  command.what.id = env_.ids.next<CommandId>();
  command.what.service = service.id;
  command.organization = service.organization;
  command.project = service.project;
  command.node = service.node;
  command.created_at = env_.clock.now();
  if (node.status.state == ConnectionState::online) command.sent_at = command.created_at;
  ECP_TRY_VOID(parts_.commands.submit(transaction, command));
  return command;
}

Result<Command> EdgeServiceRegistry::control(const access::Grant& grant, EdgeServiceId id,
                                             std::string_view action) {
  constexpr Milliseconds patience{60'000};
  ECP_TRY_VOID(grant.require(permissions::edge_service_control, grant.scope()));
  if (action != "start" && action != "stop" && action != "restart") {
    return bad_field("action", "must be start, stop or restart");
  }
  return access::write(
      parts_.store, grant, [&](storage::Transaction& transaction) -> Result<Command> {
        auto& services = transaction.get<EdgeServiceStore>();
        ECP_TRY(auto service, services.get(grant.scope().project, id));
        const bool running = action != "stop";
        if (service.running != running) {
          service.running = running;
          ECP_TRY(service.revision, services.update(service));
          ECP_TRY_VOID(parts_.desired.touch(transaction, service.node));
        }
        link::Command what;
        what.action = action;
        what.expires_at = env_.clock.now() + patience;
        ECP_TRY(auto command, issue(transaction, grant, service, std::move(what)));
        ECP_TRY_VOID(audit::append(
            transaction, grant, operations::edge_service_control, subject_of(service),
            {{"action", std::string(action)}, {"command", command.what.id.to_string()}}));
        return command;
      });
}

Result<Command> EdgeServiceRegistry::issue_write(const access::Grant& grant, EdgeServiceId id,
                                                 link::Command what, Milliseconds expires_in) {
  if (expires_in < Milliseconds(1'000) || expires_in > Milliseconds(3'600'000)) {
    return bad_field("expires_in_s", "must be 1 to 3600");
  }
  what.expires_at = env_.clock.now() + expires_in;
  return access::write(
      parts_.store, grant, [&](storage::Transaction& transaction) -> Result<Command> {
        ECP_TRY(const auto service,
                transaction.get<EdgeServiceStore>().get(grant.scope().project, id));
        ECP_TRY(const auto config, kind::parse_pipeline_config(service.config_json));
        if (what.writes.empty()) ECP_TRY_VOID(check_tag(config, what.tag));
        for (const auto& write : what.writes) ECP_TRY_VOID(check_tag(config, write.tag));
        ECP_TRY(auto command, issue(transaction, grant, service, what));
        audit::Details details;
        if (what.writes.empty()) {
          details = {{"tag", what.tag}, {"value", what.value_json}};
        } else {
          details = {{"writes", link::to_json(what.writes)}};
        }
        details.emplace_back("command", command.what.id.to_string());
        ECP_TRY_VOID(audit::append(transaction, grant, operations::data_tag_write,
                                   subject_of(service), std::move(details)));
        return command;
      });
}

Result<Command> EdgeServiceRegistry::write(const access::Grant& grant, EdgeServiceId id,
                                           std::string_view tag, std::string_view value_json,
                                           Milliseconds expires_in) {
  ECP_TRY_VOID(grant.require(permissions::data_tag_write, grant.scope()));
  link::Command what;
  what.action = "write";
  what.tag = tag;
  what.value_json = value_json;
  return issue_write(grant, id, std::move(what), expires_in);
}

Result<Command> EdgeServiceRegistry::write_tags(const access::Grant& grant, EdgeServiceId id,
                                                std::vector<link::TagWrite> writes,
                                                Milliseconds expires_in) {
  ECP_TRY_VOID(grant.require(permissions::data_tag_write, grant.scope()));
  if (writes.empty() || writes.size() > link::writes_per_command) {
    return bad_field("writes", "must be 1 to " + std::to_string(link::writes_per_command));
  }
  std::set<std::string_view> tags;
  std::size_t octets = 0;
  for (const auto& write : writes) {
    if (!tags.insert(write.tag).second) return bad_field("writes", "has a data tag twice");
    octets += write.tag.size() + write.value_json.size();
  }
  if (octets > most_write_octets) return bad_field("writes", "are too long together");
  link::Command what;
  what.action = "write_tags";
  what.writes = std::move(writes);
  return issue_write(grant, id, std::move(what), expires_in);
}

Result<Command> EdgeServiceRegistry::get_command(const access::Grant& grant, CommandId id) {
  ECP_TRY_VOID(grant.require(permissions::edge_service_view, grant.scope()));
  return parts_.store.read([&](storage::Transaction& transaction) {
    return transaction.get<CommandStore>().get(grant.scope().project, id);
  });
}

Result<Page<Command>> EdgeServiceRegistry::list_commands(const access::Grant& grant,
                                                         PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::edge_service_view, grant.scope()));
  return parts_.store.read([&](storage::Transaction& transaction) {
    return transaction.get<CommandStore>().list(grant.scope().project, page);
  });
}

}  // namespace ecp::inline v0::fleet
