// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage port of the edge-node noun.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/ids.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/fleet/edge_node.hpp>

namespace ecp::inline v0::fleet {

/// Selection of edge nodes inside one project. An empty field matches everything.
struct EdgeNodeQuery {
  access::ProjectId project;  ///< Required: there is no query across projects.
  std::string name_contains;  ///< Case-insensitive substring of the name.
  std::optional<ConnectionState> state;
};

/// Durable collection of edge nodes and what is known of their agents.
///
/// Transactions: reachable only through storage::Transaction.
/// Thread safety: bound to the thread of its transaction.
/// Errors: besides those named, `unavailable` and `data_loss` of the backend.
class ECP_EXPORT EdgeNodeStore {
 public:
  static constexpr std::string_view store_name = "fleet.edge_nodes";
  virtual ~EdgeNodeStore();

  /// Insert a node at revision 1 with its status. Fails with `already_exists` when its id, or its
  /// name in the project, is taken.
  virtual Result<void> insert(const EdgeNode& node) = 0;
  /// Fails with `not_found` also when the id exists in another project.
  virtual Result<EdgeNode> get(access::ProjectId project, EdgeNodeId id) = 0;
  /// For engines, which know agents by their ids alone.
  virtual Result<std::optional<EdgeNode>> find(EdgeNodeId id) = 0;
  /// One page ordered by name, then id.
  virtual Result<Page<EdgeNode>> list(const EdgeNodeQuery& query, PageRequest page) = 0;
  /// Replace name, description and `revoked` of the record whose revision equals `node.revision`;
  /// return the new one. Fails with `conflict` when somebody else was first, and `already_exists`.
  virtual Result<Revision> update(const EdgeNode& node) = 0;
  virtual Result<void> remove(access::ProjectId project, EdgeNodeId id) = 0;
  /// Nodes of the whole control plane, for its limit.
  virtual Result<std::int64_t> count() = 0;

  /// Replace the status of a node; a node that is gone is left alone.
  virtual Result<void> put_status(EdgeNodeId id, const EdgeNodeStatus& status) = 0;
  /// Raise last-seen; never lowers it.
  virtual Result<void> touch_seen(EdgeNodeId id, Time seen) = 0;
  /// Replace what a heartbeat tells of buffer and host.
  virtual Result<void> put_vitals(EdgeNodeId id, const link::Heartbeat& heartbeat) = 0;
  /// Number and digest of the newest manifest; an empty digest when none is made yet.
  virtual Result<void> put_wanted(EdgeNodeId id, link::Generation wanted,
                                  std::string_view sha256) = 0;
  /// Ids after `after`, in order, of nodes that were heard at least once and are neither absent nor
  /// revoked: those whose silence means something.
  virtual Result<std::vector<EdgeNodeId>> list_watched(EdgeNodeId after, std::int64_t limit) = 0;
  virtual Result<std::vector<EdgeNodeId>> list_revoked() = 0;
  /// Changes whenever a node is revoked or removed; cheap.
  virtual Result<std::int64_t> denied_version() = 0;
};

/// Last numbers taken of the agents' buffers and journals.
class ECP_EXPORT BufferStore {
 public:
  static constexpr std::string_view store_name = "fleet.buffers";
  virtual ~BufferStore();
  /// Everything up to here is taken; 0 for a buffer and stream never seen.
  virtual Result<std::int64_t> cursor(EdgeNodeId node, std::string_view stream,
                                      std::string_view buffer_id) = 0;
  virtual Result<void> advance(EdgeNodeId node, std::string_view stream, std::string_view buffer_id,
                               std::int64_t upto) = 0;
  /// A buffer never seen takes the place of all others of its node, which are refused: who made it
  /// has numbered anew what those held, and what still comes from them comes from a copy. True when
  /// it ended one that was not refused: the agent did so by itself, or the database has forgotten
  /// that it asked for it.
  virtual Result<bool> begin(EdgeNodeId node, std::string_view stream,
                             std::string_view buffer_id) = 0;
  /// True when nothing may be taken from the buffer any more.
  virtual Result<bool> is_refused(EdgeNodeId node, std::string_view buffer_id) = 0;
  /// Refuse all buffers seen of a node so far.
  virtual Result<void> refuse_all(EdgeNodeId node) = 0;
  virtual Result<void> remove(EdgeNodeId node) = 0;
};

}  // namespace ecp::inline v0::fleet
