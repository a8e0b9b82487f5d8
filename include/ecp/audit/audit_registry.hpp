// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reading the audit log.

#include <ecp/access/grant.hpp>
#include <ecp/audit/audit_store.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::audit {

/// The audit log as people see it.
///
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT AuditRegistry {
 public:
  explicit AuditRegistry(storage::Store& store) : store_(store) {}
  /// Entries of the query's scope, which lies in the grant's; the latest first. Needs audit.view.
  Result<Page<StoredEntry>> list(const access::Grant& grant, const EntryQuery& query,
                                 PageRequest page);

 private:
  storage::Store& store_;
};

}  // namespace ecp::inline v0::audit
