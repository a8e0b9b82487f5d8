// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of edge nodes.

#include <optional>
#include <string>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::fleet {

class DesiredEngine;
class NodeObserver;

/// Cuts agents off. Implemented by FleetEngine.
class ECP_EXPORT NodeGate {
 public:
  virtual ~NodeGate();
  /// End the agent's session and refuse it from now on. Does not block.
  virtual void deny(EdgeNodeId node) = 0;
};

/// Lists, renames, revokes and removes edge nodes. Enrollment makes them.
///
/// Thread safety: any thread; calls block.
/// Errors: as Grant::require and the stores, besides those named.
class ECP_EXPORT EdgeNodeRegistry {
 public:
  struct Changes {
    std::optional<std::string> name;
    std::optional<std::string> description;
  };
  /// Everything given outlives the registry.
  EdgeNodeRegistry(storage::Store& store, NodeObserver& observer, NodeGate& gate,
                   series::SeriesStore& series, Env env);

  Result<EdgeNode> get(const access::Grant& grant, EdgeNodeId id);
  /// `query.project` is taken from the grant.
  Result<Page<EdgeNode>> list(const access::Grant& grant, EdgeNodeQuery query, PageRequest page);
  Result<EdgeNode> update(const access::Grant& grant, EdgeNodeId id, Revision revision,
                          const Changes& changes);
  /// Refuse everything of the node from now on, for good: its session ends at once.
  Result<EdgeNode> revoke(const access::Grant& grant, EdgeNodeId id);
  /// Remove the node, its services, certificates and manifest; its agent is refused from then on.
  Result<void> remove(const access::Grant& grant, EdgeNodeId id, Revision revision);

 private:
  storage::Store& store_;
  NodeObserver& observer_;
  NodeGate& gate_;
  series::SeriesStore& series_;
  Env env_;
};

}  // namespace ecp::inline v0::fleet
