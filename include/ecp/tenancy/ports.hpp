// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What modules above tenancy say about organizations and projects.

#include <ecp/access/grant.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::tenancy {

/// Is asked before, and told when, an organization or project is removed.
///
/// Transactions: called inside the unit that removes.
class ECP_EXPORT ScopeObserver {
 public:
  virtual ~ScopeObserver();
  /// False when something is in the scope that must be removed first.
  virtual Result<bool> is_empty(storage::Transaction& transaction, const access::Scope& scope);
  /// The scope is going; take what belongs to it along.
  virtual Result<void> scope_removed(storage::Transaction& transaction, const access::Scope& scope);
};

}  // namespace ecp::inline v0::tenancy
