// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of organizations and projects. Which of them one may see is told by rbac, which knows
/// the memberships.

#include <optional>
#include <string>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>
#include <ecp/tenancy/organization.hpp>
#include <ecp/tenancy/ports.hpp>

namespace ecp::inline v0::tenancy {

/// What people may say about an organization or project.
struct Naming {
  std::string name;         ///< 1 to 50 characters.
  std::string description;  ///< At most 500 characters.
};

/// What is to be changed of it; the rest stays.
struct NamingChanges {
  std::optional<std::string> name;
  std::optional<std::string> description;
};

/// Organizations.
///
/// Ownership: store, observers and the env's parts outlive it.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT OrganizationRegistry {
 public:
  OrganizationRegistry(storage::Store& store, std::vector<ScopeObserver*> observers,
                       const Env& env);
  /// Needs organization.create on the platform. Fails with `resource_exhausted` at the limit.
  Result<Organization> create(const access::Grant& grant, Naming naming);
  /// Needs organization.view in the organization.
  Result<Organization> get(const access::Grant& grant, access::OrganizationId id);
  /// All of them; needs organization.view on the platform.
  Result<Page<Organization>> list(const access::Grant& grant, PageRequest page);
  /// Needs organization.edit in the organization.
  Result<Organization> update(const access::Grant& grant, access::OrganizationId id,
                              Revision revision, NamingChanges changes);
  /// Needs organization.delete in the organization. Fails with `failed_precondition`
  /// (tenancy.not_empty).
  Result<void> remove(const access::Grant& grant, access::OrganizationId id, Revision revision);

 private:
  storage::Store& store_;
  std::vector<ScopeObserver*> observers_;
  Env env_;
};

/// Projects.
///
/// Ownership: store, observers and the env's parts outlive it.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT ProjectRegistry {
 public:
  ProjectRegistry(storage::Store& store, std::vector<ScopeObserver*> observers, const Env& env);
  /// Needs project.create in the organization. Fails with `resource_exhausted` at the limit.
  Result<Project> create(const access::Grant& grant, access::OrganizationId organization,
                         Naming naming);
  /// Needs project.view in the project. `scope` is that of a project, here and below.
  Result<Project> get(const access::Grant& grant, const access::Scope& scope);
  /// All of an organization; needs project.view in it.
  Result<Page<Project>> list(const access::Grant& grant, access::OrganizationId organization,
                             PageRequest page);
  /// Needs project.edit in the project.
  Result<Project> update(const access::Grant& grant, const access::Scope& scope, Revision revision,
                         NamingChanges changes);
  /// Needs project.delete in the project. Fails with `failed_precondition` (tenancy.not_empty).
  Result<void> remove(const access::Grant& grant, const access::Scope& scope, Revision revision);

 private:
  storage::Store& store_;
  std::vector<ScopeObserver*> observers_;
  Env env_;
};

}  // namespace ecp::inline v0::tenancy
