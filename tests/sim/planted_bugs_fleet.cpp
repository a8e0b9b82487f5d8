// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <map>

#include <ecp/fleet/restore.hpp>

#include "sim/passing_fleet_stores.hpp"
#include "sim/planted_bugs.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

class CommandsWithoutSweep final : public PassingCommandStore {
 public:
  using PassingCommandStore::list_pending;
  using PassingCommandStore::PassingCommandStore;
  Result<std::vector<fleet::Command>> list_pending(std::int64_t /*limit*/) override {
    return std::vector<fleet::Command>{};
  }
};

class CommandsShownAsPending final : public PassingCommandStore {
 public:
  using PassingCommandStore::PassingCommandStore;
  Result<fleet::Command> get(access::ProjectId project, fleet::CommandId id) override {
    ECP_TRY(auto command, real().get(project, id));
    command.state = link::CommandState::pending;
    return command;
  }
};

class CommandsThatEndAsDone final : public PassingCommandStore {
 public:
  using PassingCommandStore::PassingCommandStore;
  Result<void> update(const fleet::Command& command) override {
    auto told = command;
    if (told.state != link::CommandState::pending) told.state = link::CommandState::done;
    return real().update(told);
  }
};

class CommandsThatEndAsRefused final : public PassingCommandStore {
 public:
  using PassingCommandStore::PassingCommandStore;
  Result<void> update(const fleet::Command& command) override {
    auto told = command;
    if (told.state != link::CommandState::pending) told.state = link::CommandState::refused;
    return real().update(told);
  }
};

class LosingCommands final : public PassingCommandStore {
 public:
  using PassingCommandStore::PassingCommandStore;
  Result<void> insert(const fleet::Command& command) override {
    if (is_unlucky(command.what.id.bytes())) return {};
    return real().insert(command);
  }
};

class CommandsKeptInMemory final : public PassingCommandStore {
 public:
  using PassingCommandStore::list_pending;
  using PassingCommandStore::PassingCommandStore;
  Result<void> insert(const fleet::Command& command) override {
    kept()[command.what.id] = command;
    return real().insert(command);
  }
  Result<std::vector<fleet::Command>> list_pending(std::int64_t limit) override {
    ECP_TRY(auto pending, real().list_pending(limit));
    for (const auto& [id, command] : kept()) {
      ECP_TRY(const auto stored, real().find(id));
      if (!stored) pending.push_back(command);
    }
    return pending;
  }

  static std::map<fleet::CommandId, fleet::Command>& kept() {
    static std::map<fleet::CommandId, fleet::Command> all;
    return all;
  }
};

class NodesThatWaitForEver final : public PassingEdgeNodeStore {
 public:
  using PassingEdgeNodeStore::PassingEdgeNodeStore;
  Result<void> put_status(EdgeNodeId id, const fleet::EdgeNodeStatus& status) override {
    auto told = status;
    ECP_TRY(told.buffered, most(id, status.buffered));
    return real().put_status(id, told);
  }
  Result<void> put_vitals(EdgeNodeId id, const link::Heartbeat& heartbeat) override {
    auto told = heartbeat;
    ECP_TRY(told.buffered, most(id, heartbeat.buffered));
    return real().put_vitals(id, told);
  }

 private:
  Result<std::int64_t> most(EdgeNodeId id, std::int64_t buffered) {
    ECP_TRY(const auto node, real().find(id));
    return node ? std::max(node->status.buffered, buffered) : buffered;
  }
};

class NodesWithoutProgress final : public PassingEdgeNodeStore {
 public:
  using PassingEdgeNodeStore::PassingEdgeNodeStore;
  Result<void> put_status(EdgeNodeId id, const fleet::EdgeNodeStatus& status) override {
    ECP_TRY(const auto node, real().find(id));
    auto told = status;
    if (node) told.applied = node->status.applied;
    return real().put_status(id, told);
  }
};

class NodesThatCountAnew final : public PassingEdgeNodeStore {
 public:
  using PassingEdgeNodeStore::PassingEdgeNodeStore;
  Result<void> put_wanted(EdgeNodeId id, link::Generation wanted,
                          std::string_view sha256) override {
    wanted.generation %= 3;
    return real().put_wanted(id, wanted, sha256);
  }
};

class NodesOfEverybody final : public PassingEdgeNodeStore {
 public:
  using PassingEdgeNodeStore::PassingEdgeNodeStore;
  Result<Page<EdgeNode>> list(const fleet::EdgeNodeQuery& query, PageRequest page) override {
    ECP_TRY(auto all, real().list(query, page));
    ECP_TRY(const auto watched, real().list_watched({}, page.limit));
    for (const auto id : watched) {
      ECP_TRY(auto node, real().find(id));
      if (node && node->project != query.project) all.items.push_back(std::move(*node));
    }
    return all;
  }
};

class ServicesOfEverybody final : public PassingEdgeServiceStore {
 public:
  using PassingEdgeServiceStore::PassingEdgeServiceStore;
  Result<EdgeService> get(access::ProjectId project, EdgeServiceId id) override {
    ECP_TRY(auto service, real().find(id));
    if (service) return std::move(*service);
    return real().get(project, id);
  }
};

class ServicesWithFirstStatus final : public PassingEdgeServiceStore {
 public:
  using PassingEdgeServiceStore::PassingEdgeServiceStore;
  Result<void> put_status(EdgeServiceId id, const fleet::EdgeServiceStatus& status) override {
    ECP_TRY(const auto service, real().find(id));
    auto told = status;
    if (service && !service->status.wanted_sha256.empty()) {
      told.wanted_sha256 = service->status.wanted_sha256;
    }
    return real().put_status(id, told);
  }
};

class RestoresToldBefore final : public InFront<fleet::RestoreStore> {
 public:
  explicit RestoresToldBefore(storage::sql::Connection& connection)
      : InFront(storage::fleet_module(), connection) {}
  Result<std::optional<Time>> latest() override { return Time::max(); }
  Result<void> insert(Time found_at) override { return real().insert(found_at); }
};

template <class Adapter>
const storage::StoreModule& with_commands() {
  return planted_in<fleet::CommandStore, Adapter>(storage::fleet_module());
}

template <class Adapter>
const storage::StoreModule& with_nodes() {
  return planted_in<fleet::EdgeNodeStore, Adapter>(storage::fleet_module());
}

template <class Adapter>
const storage::StoreModule& with_services() {
  return planted_in<fleet::EdgeServiceStore, Adapter>(storage::fleet_module());
}

}  // namespace

const storage::StoreModule& fleet_module_without_overdue_commands() {
  return with_commands<CommandsWithoutSweep>();
}

const storage::StoreModule& fleet_module_that_shows_commands_as_pending() {
  return with_commands<CommandsShownAsPending>();
}

const storage::StoreModule& fleet_module_that_ends_commands_as_done() {
  return with_commands<CommandsThatEndAsDone>();
}

const storage::StoreModule& fleet_module_that_ends_commands_as_refused() {
  return with_commands<CommandsThatEndAsRefused>();
}

const storage::StoreModule& fleet_module_that_loses_commands() {
  return with_commands<LosingCommands>();
}

const storage::StoreModule& fleet_module_that_keeps_what_was_rolled_back() {
  CommandsKeptInMemory::kept().clear();
  return with_commands<CommandsKeptInMemory>();
}

const storage::StoreModule& fleet_module_that_never_lowers_counts() {
  return with_nodes<NodesThatWaitForEver>();
}

const storage::StoreModule& fleet_module_without_progress() {
  return with_nodes<NodesWithoutProgress>();
}

const storage::StoreModule& fleet_module_that_counts_manifests_anew() {
  return with_nodes<NodesThatCountAnew>();
}

const storage::StoreModule& fleet_module_that_lists_all_nodes() {
  return with_nodes<NodesOfEverybody>();
}

const storage::StoreModule& fleet_module_that_shows_all_services() {
  return with_services<ServicesOfEverybody>();
}

const storage::StoreModule& fleet_module_that_keeps_the_first_digest() {
  return with_services<ServicesWithFirstStatus>();
}

const storage::StoreModule& fleet_module_that_takes_restores_as_told() {
  return planted_in<fleet::RestoreStore, RestoresToldBefore>(storage::fleet_module());
}

}  // namespace ecp_test
