// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage port of the edge-service noun.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/ids.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/fleet/edge_service.hpp>

namespace ecp::inline v0::fleet {

/// Selection of edge services inside one project. An empty field matches everything.
struct EdgeServiceQuery {
  access::ProjectId project;  ///< Required: there is no query across projects.
  std::string name_contains;  ///< Case-insensitive substring of the name.
  std::optional<EdgeNodeId> node;
};

/// Durable collection of edge services.
///
/// Transactions: reachable only through storage::Transaction.
/// Thread safety: bound to the thread of its transaction.
/// Errors: besides those named, `unavailable` and `data_loss` of the backend.
class ECP_EXPORT EdgeServiceStore {
 public:
  static constexpr std::string_view store_name = "fleet.edge_services";
  virtual ~EdgeServiceStore();

  /// Fails with `already_exists` when its id, or its name in the project, is taken.
  virtual Result<void> insert(const EdgeService& service) = 0;
  /// Fails with `not_found` also when the id exists in another project.
  virtual Result<EdgeService> get(access::ProjectId project, EdgeServiceId id) = 0;
  /// For engines.
  virtual Result<std::optional<EdgeService>> find(EdgeServiceId id) = 0;
  /// One page ordered by name, then id.
  virtual Result<Page<EdgeService>> list(const EdgeServiceQuery& query, PageRequest page) = 0;
  /// All services of a node, ordered by id.
  virtual Result<std::vector<EdgeService>> list_of_node(EdgeNodeId node) = 0;
  /// Replace name, config and `running` of the record whose revision equals `service.revision`;
  /// return the new one. Fails with `conflict` and `already_exists`.
  virtual Result<Revision> update(const EdgeService& service) = 0;
  virtual Result<void> remove(access::ProjectId project, EdgeServiceId id) = 0;
  /// Replace the status of a service; one that is gone is left alone.
  virtual Result<void> put_status(EdgeServiceId id, const EdgeServiceStatus& status) = 0;
};

}  // namespace ecp::inline v0::fleet
