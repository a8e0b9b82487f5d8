// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Desired state: one signed manifest per edge node, made from desired sources.

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/ids.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/fleet/ids.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/link/documents.hpp>

#include <ecp/storage/store.hpp>
#include <ecp/transport/agent_gateway.hpp>

namespace ecp::inline v0::pki {
class SigningKey;
}

namespace ecp::inline v0::fleet {

/// Manifests as they were signed, their resources' bodies, and which nodes wait for a new one.
class ECP_EXPORT DesiredStore {
 public:
  static constexpr std::string_view store_name = "fleet.desired";
  virtual ~DesiredStore();
  /// Mark a node, or all nodes of a project that are not revoked, as waiting for assembly.
  virtual Result<void> touch(EdgeNodeId node) = 0;
  virtual Result<void> touch_project(access::ProjectId project) = 0;
  /// Nodes that wait, at most `limit`.
  virtual Result<std::vector<EdgeNodeId>> touched(std::int64_t limit) = 0;
  virtual Result<void> settle(EdgeNodeId node) = 0;
  /// The newest manifest, with all bodies; none before the first.
  virtual Result<std::optional<link::SignedManifest>> find(EdgeNodeId node) = 0;
  /// Replace the manifest of a node and its bodies.
  virtual Result<void> put(EdgeNodeId node, const link::SignedManifest& manifest) = 0;
  /// Body of a resource of this node's manifest. Fails with `not_found`.
  virtual Result<std::string> body(EdgeNodeId node, std::string_view sha256) = 0;
  virtual Result<void> remove(EdgeNodeId node) = 0;
};

/// Assembles, signs, stores and sends manifests.
///
/// Thread safety: `add_source` before `start`; the rest any thread.
class ECP_EXPORT DesiredEngine {
 public:
  /// Everything given must outlive the engine.
  DesiredEngine(storage::Store& store, const pki::SigningKey& key, TrustObserver& trust, Env env);
  ~DesiredEngine();
  DesiredEngine(const DesiredEngine&) = delete;
  DesiredEngine& operator=(const DesiredEngine&) = delete;

  /// `source` outlives the engine.
  void add_source(DesiredSource& source);
  /// Begin: assemble what waits, now and after every touch; send through `gateway`.
  void start(transport::AgentGateway& gateway);
  /// Nothing is sent any more; wait for an assembly that is under way. Not from a source.
  void stop() noexcept;

  /// Mark nodes as changed inside the transaction that changed them; assembly, signature and
  /// sending follow the commit at once, on a worker.
  Result<void> touch(storage::Transaction& transaction, EdgeNodeId node);
  Result<void> touch_project(storage::Transaction& transaction, access::ProjectId project);

  /// Assemble whatever waits, in the caller's thread; return how many manifests changed.
  Result<std::int64_t> assemble();
  /// Send the stored manifest if there is one; an agent that is not connected misses it.
  Result<void> send(EdgeNodeId node);
  /// An agent hands over a manifest beyond ours, or another of the same number. With our valid
  /// signature the database is older than the agent: the next manifest gets that epoch + 1, and the
  /// answer is true. Without it nothing changes but an audit entry, and the answer is false.
  /// The first proof within `longest_token_life` ends the life of all enrollment tokens: they may
  /// have been used up or removed after the backup was made.
  Result<bool> adopt(EdgeNodeId node, const link::SignedManifest& manifest);
  /// Body of a resource of the node's own manifest, by hash. Fails with `not_found`.
  Result<std::string> resource(EdgeNodeId node, std::string_view sha256);

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: tasks posted before stop() may still run.
};

/// The fleet's own source: a "service/svc_..." resource for each service of a node.
class ECP_EXPORT EdgeServiceSource final : public DesiredSource {
 public:
  ~EdgeServiceSource() override;
  Result<std::vector<DesiredResource>> resources(storage::Transaction& transaction,
                                                 const EdgeNode& node) override;
};

}  // namespace ecp::inline v0::fleet
