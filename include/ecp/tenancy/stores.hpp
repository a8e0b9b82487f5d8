// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage ports of organizations and projects. Their SQL lives in lib/storage/sql/tenancy/.

#include <cstdint>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/tenancy/organization.hpp>

namespace ecp::inline v0::tenancy {

/// Organizations.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT OrganizationStore {
 public:
  static constexpr std::string_view store_name = "tenancy.organizations";
  virtual ~OrganizationStore();
  /// Insert at revision 1. Fails with `already_exists` (core.name_taken).
  virtual Result<void> insert(const Organization& organization) = 0;
  virtual Result<Organization> get(access::OrganizationId id) = 0;
  /// One page ordered by name.
  virtual Result<Page<Organization>> list(PageRequest page) = 0;
  /// Replace name and description at `organization.revision`; return the new revision. Fails with
  /// `conflict` (core.stale_revision), `not_found`, `already_exists`.
  virtual Result<Revision> update(const Organization& organization) = 0;
  /// Remove at a revision. Fails with `conflict`, `not_found`.
  virtual Result<void> remove(access::OrganizationId id, Revision revision) = 0;
  virtual Result<std::int64_t> count() = 0;
};

/// Projects, each seen only through its organization: a foreign id is `not_found`.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT ProjectStore {
 public:
  static constexpr std::string_view store_name = "tenancy.projects";
  virtual ~ProjectStore();
  /// As OrganizationStore::insert.
  virtual Result<void> insert(const Project& project) = 0;
  virtual Result<Project> get(access::OrganizationId organization, access::ProjectId id) = 0;
  /// One page ordered by name.
  virtual Result<Page<Project>> list(access::OrganizationId organization, PageRequest page) = 0;
  /// As OrganizationStore::update.
  virtual Result<Revision> update(const Project& project) = 0;
  virtual Result<void> remove(access::OrganizationId organization, access::ProjectId id,
                              Revision revision) = 0;
  virtual Result<std::int64_t> count(access::OrganizationId organization) = 0;
};

}  // namespace ecp::inline v0::tenancy
