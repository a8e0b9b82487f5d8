// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Commands: effects on edge services, run at most once at the edge.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/access/ids.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/fleet/ids.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/storage/store.hpp>
#include <ecp/transport/agent_gateway.hpp>

namespace ecp::inline v0::platform {
class LiveEvents;
}
namespace ecp::inline v0::rbac {
class Authorizer;
}

namespace ecp::inline v0::fleet {

/// One effect and how it ended.
struct Command {
  link::Command what;  ///< Id, expiry, action, service, tag, value.
  access::OrganizationId organization;
  access::ProjectId project;
  EdgeNodeId node;
  link::CommandState state = link::CommandState::pending;
  std::string reason;
  std::string value_json;                ///< Read back after a write; empty when none.
  std::vector<link::TagResult> results;  ///< Of "write_tags", in the order of what.writes.
  Revision revision = Revision::first;
  Time created_at{};
  std::optional<Time> sent_at;  ///< Durable before it is first sent: none proves it never ran.
  std::optional<Time> finished_at;
};

/// Durable commands.
class ECP_EXPORT CommandStore {
 public:
  static constexpr std::string_view store_name = "fleet.commands";
  virtual ~CommandStore();
  virtual Result<void> insert(const Command& command) = 0;
  virtual Result<Command> get(access::ProjectId project, CommandId id) = 0;
  virtual Result<std::optional<Command>> find(CommandId id) = 0;
  /// Newest first.
  virtual Result<Page<Command>> list(access::ProjectId project, PageRequest page) = 0;
  /// Pending ones of a node, oldest first.
  virtual Result<std::vector<Command>> list_pending(EdgeNodeId node) = 0;
  /// Pending ones of all nodes, those that expire first in front.
  virtual Result<std::vector<Command>> list_pending(std::int64_t limit) = 0;
  /// Ones of a node that never were sent, pending or expired, newest first.
  virtual Result<std::vector<Command>> list_unsent(EdgeNodeId node, std::int64_t limit) = 0;
  /// Unknown ones of a node that expired after `since`, newest first.
  virtual Result<std::vector<Command>> list_unknown(EdgeNodeId node, Time since,
                                                    std::int64_t limit) = 0;
  virtual Result<std::int64_t> count_pending(EdgeNodeId node) = 0;
  /// Replace state, reason, value, results and times.
  virtual Result<void> update(const Command& command) = 0;
  /// Remove finished ones older than that, and all of a node.
  virtual Result<void> remove_finished(Time before) = 0;
  virtual Result<void> remove_of_node(EdgeNodeId node) = 0;
};

/// Sends commands and brings them to an end.
///
/// Thread safety: any thread.
class ECP_EXPORT CommandEngine {
 public:
  CommandEngine(storage::Store& store, const rbac::Authorizer& authorizer,
                platform::LiveEvents& live, Env env);
  ~CommandEngine();
  CommandEngine(const CommandEngine&) = delete;
  CommandEngine& operator=(const CommandEngine&) = delete;
  void start(transport::AgentGateway& gateway);
  void stop() noexcept;

  /// Insert a command in the caller's transaction; it is sent right after the commit. Fails with
  /// `resource_exhausted` over limits::commands_per_node.
  Result<void> submit(storage::Transaction& transaction, Command command);
  /// A result came from the command's own node; a command of another node is skipped. Audited.
  Result<void> finish(storage::Transaction& transaction, EdgeNodeId node,
                      const link::CommandResult& result);
  /// The node has seen more than the database knows, which was put back: what was never sent as far
  /// as that knows may have run. What expired is `unknown` now, and the node is asked, also when it
  /// connects the next time. Audited. Errors: those of the store.
  Result<void> reconsider(storage::Transaction& transaction, EdgeNodeId node);
  /// The node's disk was put back or copied: it may not remember what it ran. What was sent and has
  /// no result is `unknown` now and is not sent again while it could run; that it expired is not
  /// believed any more. Audited. Errors: those of the store.
  Result<void> distrust(storage::Transaction& transaction, EdgeNodeId node);
  /// Send again what a node that just connected has not answered.
  void resend(EdgeNodeId node);
  /// End what can no longer run: `expired` when it was never sent, `unknown` when it was and no
  /// result came in time. Return how many ended.
  Result<std::int64_t> sweep();

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: tasks posted before stop() may still run.
};

}  // namespace ecp::inline v0::fleet
