// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Keeps a project that has edge nodes from being removed.

#include <ecp/tenancy/ports.hpp>

namespace ecp::inline v0::plane {

/// Nodes must be removed first, so that no agent is left behind unnoticed; tokens go along.
class FleetScope final : public tenancy::ScopeObserver {
 public:
  Result<bool> is_empty(storage::Transaction& transaction, const access::Scope& scope) override;
  Result<void> scope_removed(storage::Transaction& transaction,
                             const access::Scope& scope) override;
};

}  // namespace ecp::inline v0::plane
