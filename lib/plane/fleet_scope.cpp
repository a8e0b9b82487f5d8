// SPDX-License-Identifier: Apache-2.0
#include "plane/fleet_scope.hpp"

#include <ecp/core/limits.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/enrollment_token.hpp>

namespace ecp::inline v0::plane {

Result<bool> FleetScope::is_empty(storage::Transaction& transaction, const access::Scope& scope) {
  if (scope.project.is_nil()) return true;
  fleet::EdgeNodeQuery query;
  query.project = scope.project;
  ECP_TRY(const auto nodes, transaction.get<fleet::EdgeNodeStore>().list(query, {1, 0}));
  return nodes.total == 0;
}

Result<void> FleetScope::scope_removed(storage::Transaction& transaction,
                                       const access::Scope& scope) {
  if (scope.project.is_nil()) return {};
  auto& tokens = transaction.get<fleet::EnrollmentTokenStore>();
  for (;;) {
    ECP_TRY(const auto page, tokens.list(scope.project, {limits::page_size, 0}));
    if (page.items.empty()) return {};
    for (const auto& token : page.items) {
      ECP_TRY_VOID(tokens.remove(scope.project, token.id));
    }
  }
}

}  // namespace ecp::inline v0::plane
