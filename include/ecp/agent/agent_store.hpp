// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage port of the agent: desired state, effects, connection counter. Its SQL lives in
/// lib/storage/sql/agent/.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/link/documents.hpp>

namespace ecp::inline v0::agent {

/// The newest manifest accepted, without bodies.
struct StoredManifest {
  link::Generation generation;
  link::SignedManifest signed_manifest;
};

/// How far one resource of the manifest is.
struct ResourceRow {
  std::string name;
  std::string wanted_sha256;
  std::string applied_sha256;  ///< Last good one; empty before the first.
  std::string failed_sha256;   ///< Not tried again.
  std::string reason;          ///< Why it failed.
};

/// An effect that was begun.
struct JournaledCommand {
  link::CommandResult result;  ///< State `pending` until it ended.
};

/// What guards must remember of a data tag with min_interval or on_loss.
struct GuardedTag {
  link::EdgeServiceId service;
  std::string tag;          ///< "driver/group/tag".
  Time written_at{};        ///< When a write was let through last.
  bool has_writer = false;  ///< A writer's value is in force, and he is expected again.
  Time cloud_loss{};        ///< The loss of the cloud (its beginning) that was dealt with last.
  std::string fault;        ///< What the fault action did that is in force; empty: none.
};

/// Durable state of one agent.
///
/// Transactions: reachable only through storage::Transaction.
/// Thread safety: bound to the thread of its transaction.
class ECP_EXPORT AgentStore {
 public:
  static constexpr std::string_view store_name = "agent.agent";
  virtual ~AgentStore();

  virtual Result<std::optional<StoredManifest>> manifest() = 0;
  virtual Result<void> put(const StoredManifest& manifest) = 0;

  virtual Result<std::vector<ResourceRow>> resources() = 0;
  virtual Result<void> put(const ResourceRow& row) = 0;
  virtual Result<void> remove_resource(std::string_view name) = 0;

  virtual Result<std::optional<std::string>> body(std::string_view sha256) = 0;
  virtual Result<void> put_body(std::string_view sha256, std::string_view body) = 0;
  /// Forget bodies that no resource wants or has applied.
  virtual Result<void> remove_unused_bodies() = 0;

  virtual Result<std::optional<JournaledCommand>> command(link::CommandId id) = 0;
  virtual Result<void> put(const JournaledCommand& command) = 0;
  virtual Result<std::vector<JournaledCommand>> unfinished_commands() = 0;
  virtual Result<void> remove_commands(Time before) = 0;

  virtual Result<std::vector<GuardedTag>> guarded_tags() = 0;
  virtual Result<void> put(const GuardedTag& tag) = 0;
  virtual Result<void> remove_guarded_tag(link::EdgeServiceId service, std::string_view tag) = 0;
  /// Since when the cloud has been lost; none while the link is up.
  virtual Result<std::optional<Time>> cloud_lost_at() = 0;
  virtual Result<void> put_cloud_lost_at(std::optional<Time> at) = 0;

  /// Raise the connection counter and return it.
  virtual Result<std::int64_t> next_connection() = 0;
};

}  // namespace ecp::inline v0::agent
