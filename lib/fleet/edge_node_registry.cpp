// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/edge_node_registry.hpp>

#include <ecp/access/permissions.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/command.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/fleet/ports.hpp>

namespace ecp::inline v0::fleet {
namespace {

namespace permissions = access::permissions;

audit::Subject subject_of(const EdgeNode& node) {
  return {"edge_node", node.id.to_string(), node.name};
}

/// What of a node is known to other stores.
Result<void> remove_belongings(storage::Transaction& transaction, EdgeNodeId node) {
  ECP_TRY_VOID(transaction.get<BufferStore>().remove(node));
  ECP_TRY_VOID(transaction.get<DesiredStore>().remove(node));
  ECP_TRY_VOID(transaction.get<CommandStore>().remove_of_node(node));
  return transaction.get<AgentCertificateStore>().remove(node);
}

}  // namespace

EdgeNodeRegistry::EdgeNodeRegistry(storage::Store& store, NodeObserver& observer, NodeGate& gate,
                                   series::SeriesStore& series, Env env)
    : store_(store), observer_(observer), gate_(gate), series_(series), env_(env) {}

Result<EdgeNode> EdgeNodeRegistry::get(const access::Grant& grant, EdgeNodeId id) {
  ECP_TRY_VOID(grant.require(permissions::edge_node_view, grant.scope()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<EdgeNodeStore>().get(grant.scope().project, id);
  });
}

Result<Page<EdgeNode>> EdgeNodeRegistry::list(const access::Grant& grant, EdgeNodeQuery query,
                                              PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::edge_node_view, grant.scope()));
  query.project = grant.scope().project;
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<EdgeNodeStore>().list(query, page);
  });
}

Result<EdgeNode> EdgeNodeRegistry::update(const access::Grant& grant, EdgeNodeId id,
                                          Revision revision, const Changes& changes) {
  ECP_TRY_VOID(grant.require(permissions::edge_node_edit, grant.scope()));
  if (changes.name) ECP_TRY_VOID(check_name("name", *changes.name));
  if (changes.description) ECP_TRY_VOID(check_description(*changes.description));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<EdgeNode> {
    auto& nodes = transaction.get<EdgeNodeStore>();
    ECP_TRY(auto node, nodes.get(grant.scope().project, id));
    audit::Details details;
    if (changes.name) {
      details.emplace_back("name_before", node.name);
      node.name = *changes.name;
    }
    if (changes.description) node.description = *changes.description;
    node.revision = revision;
    ECP_TRY(node.revision, nodes.update(node));
    ECP_TRY_VOID(audit::append(transaction, grant, operations::edge_node_update, subject_of(node),
                               std::move(details)));
    return node;
  });
}

Result<EdgeNode> EdgeNodeRegistry::revoke(const access::Grant& grant, EdgeNodeId id) {
  ECP_TRY_VOID(grant.require(permissions::edge_node_revoke, grant.scope()));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<EdgeNode> {
    auto& nodes = transaction.get<EdgeNodeStore>();
    ECP_TRY(auto node, nodes.get(grant.scope().project, id));
    if (node.revoked) return node;
    node.revoked = true;
    ECP_TRY(node.revision, nodes.update(node));
    node.status.state = ConnectionState::offline;
    node.status.changed_at = env_.clock.now();
    ECP_TRY_VOID(nodes.put_status(id, node.status));
    ECP_TRY_VOID(audit::append(transaction, grant, operations::edge_node_revoke, subject_of(node)));
    transaction.after_commit([this, id] { gate_.deny(id); });
    return node;
  });
}

Result<void> EdgeNodeRegistry::remove(const access::Grant& grant, EdgeNodeId id,
                                      Revision revision) {
  ECP_TRY_VOID(grant.require(permissions::edge_node_edit, grant.scope()));
  const auto project = grant.scope().project;
  using Services = std::vector<EdgeService>;
  ECP_TRY(const auto gone,
          access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<Services> {
            auto& nodes = transaction.get<EdgeNodeStore>();
            auto& services = transaction.get<EdgeServiceStore>();
            ECP_TRY(const auto node, nodes.get(project, id));
            if (node.revision != revision) {
              return Error(ecp::reasons::stale_revision, {{"noun", "edge node"}});
            }
            ECP_TRY(auto of_node, services.list_of_node(id));
            for (const auto& service : of_node) {
              ECP_TRY_VOID(observer_.service_removed(transaction, service));
              ECP_TRY_VOID(services.remove(project, service.id));
            }
            ECP_TRY_VOID(observer_.node_removed(transaction, node));
            ECP_TRY_VOID(remove_belongings(transaction, id));
            ECP_TRY_VOID(nodes.remove(project, id));
            ECP_TRY_VOID(audit::append(transaction, grant, operations::edge_node_remove,
                                       subject_of(node),
                                       {{"services", std::to_string(of_node.size())}}));
            transaction.after_commit([this, id] { gate_.deny(id); });
            return of_node;
          }));
  for (const auto& service : gone) {
    if (auto removed = series_.remove({project.bytes(), service.id.bytes()}); !removed) {
      env_.log.warning(
          "fleet", "the values of a removed service stay until they are too old",
          {{"service", service.id.to_string()}, {"error", removed.error().describe()}});
    }
  }
  return {};
}

}  // namespace ecp::inline v0::fleet
