// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Stores of the fleet that pass everything on to the product's own.

#include <optional>
#include <string_view>
#include <vector>

#include <ecp/fleet/command.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/storage/sql/fleet.hpp>

#include "sim/passing_stores.hpp"

namespace ecp_test {

class PassingCommandStore : public InFront<ecp::fleet::CommandStore> {
 public:
  using Command = ecp::fleet::Command;
  explicit PassingCommandStore(ecp::storage::sql::Connection& connection)
      : InFront(ecp::storage::fleet_module(), connection) {}

  ecp::Result<void> insert(const Command& command) override { return real().insert(command); }
  ecp::Result<Command> get(ecp::access::ProjectId project, ecp::fleet::CommandId id) override {
    return real().get(project, id);
  }
  ecp::Result<std::optional<Command>> find(ecp::fleet::CommandId id) override {
    return real().find(id);
  }
  ecp::Result<ecp::Page<Command>> list(ecp::access::ProjectId project,
                                       ecp::PageRequest page) override {
    return real().list(project, page);
  }
  ecp::Result<std::vector<Command>> list_pending(ecp::fleet::EdgeNodeId node) override {
    return real().list_pending(node);
  }
  ecp::Result<std::vector<Command>> list_pending(std::int64_t limit) override {
    return real().list_pending(limit);
  }
  ecp::Result<std::vector<Command>> list_unsent(ecp::fleet::EdgeNodeId node,
                                                std::int64_t limit) override {
    return real().list_unsent(node, limit);
  }
  ecp::Result<std::vector<Command>> list_unknown(ecp::fleet::EdgeNodeId node, ecp::Time since,
                                                 std::int64_t limit) override {
    return real().list_unknown(node, since, limit);
  }
  ecp::Result<std::int64_t> count_pending(ecp::fleet::EdgeNodeId node) override {
    return real().count_pending(node);
  }
  ecp::Result<void> update(const Command& command) override { return real().update(command); }
  ecp::Result<void> remove_finished(ecp::Time before) override {
    return real().remove_finished(before);
  }
  ecp::Result<void> remove_of_node(ecp::fleet::EdgeNodeId node) override {
    return real().remove_of_node(node);
  }
};

class PassingEdgeNodeStore : public InFront<ecp::fleet::EdgeNodeStore> {
 public:
  using EdgeNode = ecp::fleet::EdgeNode;
  using EdgeNodeId = ecp::fleet::EdgeNodeId;
  explicit PassingEdgeNodeStore(ecp::storage::sql::Connection& connection)
      : InFront(ecp::storage::fleet_module(), connection) {}

  ecp::Result<void> insert(const EdgeNode& node) override { return real().insert(node); }
  ecp::Result<EdgeNode> get(ecp::access::ProjectId project, EdgeNodeId id) override {
    return real().get(project, id);
  }
  ecp::Result<std::optional<EdgeNode>> find(EdgeNodeId id) override { return real().find(id); }
  ecp::Result<ecp::Page<EdgeNode>> list(const ecp::fleet::EdgeNodeQuery& query,
                                        ecp::PageRequest page) override {
    return real().list(query, page);
  }
  ecp::Result<ecp::Revision> update(const EdgeNode& node) override { return real().update(node); }
  ecp::Result<void> remove(ecp::access::ProjectId project, EdgeNodeId id) override {
    return real().remove(project, id);
  }
  ecp::Result<std::int64_t> count() override { return real().count(); }
  ecp::Result<void> put_status(EdgeNodeId id, const ecp::fleet::EdgeNodeStatus& status) override {
    return real().put_status(id, status);
  }
  ecp::Result<void> touch_seen(EdgeNodeId id, ecp::Time seen) override {
    return real().touch_seen(id, seen);
  }
  ecp::Result<void> put_vitals(EdgeNodeId id, const ecp::link::Heartbeat& heartbeat) override {
    return real().put_vitals(id, heartbeat);
  }
  ecp::Result<void> put_wanted(EdgeNodeId id, ecp::link::Generation wanted,
                               std::string_view sha256) override {
    return real().put_wanted(id, wanted, sha256);
  }
  ecp::Result<std::vector<EdgeNodeId>> list_watched(EdgeNodeId after, std::int64_t limit) override {
    return real().list_watched(after, limit);
  }
  ecp::Result<std::vector<EdgeNodeId>> list_revoked() override { return real().list_revoked(); }
  ecp::Result<std::int64_t> denied_version() override { return real().denied_version(); }
};

class PassingEdgeServiceStore : public InFront<ecp::fleet::EdgeServiceStore> {
 public:
  using EdgeService = ecp::fleet::EdgeService;
  using EdgeServiceId = ecp::fleet::EdgeServiceId;
  explicit PassingEdgeServiceStore(ecp::storage::sql::Connection& connection)
      : InFront(ecp::storage::fleet_module(), connection) {}

  ecp::Result<void> insert(const EdgeService& service) override { return real().insert(service); }
  ecp::Result<EdgeService> get(ecp::access::ProjectId project, EdgeServiceId id) override {
    return real().get(project, id);
  }
  ecp::Result<std::optional<EdgeService>> find(EdgeServiceId id) override {
    return real().find(id);
  }
  ecp::Result<ecp::Page<EdgeService>> list(const ecp::fleet::EdgeServiceQuery& query,
                                           ecp::PageRequest page) override {
    return real().list(query, page);
  }
  ecp::Result<std::vector<EdgeService>> list_of_node(ecp::fleet::EdgeNodeId node) override {
    return real().list_of_node(node);
  }
  ecp::Result<ecp::Revision> update(const EdgeService& service) override {
    return real().update(service);
  }
  ecp::Result<void> remove(ecp::access::ProjectId project, EdgeServiceId id) override {
    return real().remove(project, id);
  }
  ecp::Result<void> put_status(EdgeServiceId id,
                               const ecp::fleet::EdgeServiceStatus& status) override {
    return real().put_status(id, status);
  }
};

}  // namespace ecp_test
