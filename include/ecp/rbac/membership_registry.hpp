// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of memberships, and the lists of what one may see.

#include <optional>
#include <string>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/identity/ports.hpp>
#include <ecp/identity/user.hpp>
#include <ecp/rbac/membership.hpp>
#include <ecp/storage/store.hpp>
#include <ecp/tenancy/organization.hpp>
#include <ecp/tenancy/ports.hpp>

namespace ecp::inline v0::rbac {

/// A member as people see him.
struct Member {
  identity::User user;
  Role role = Role::member;
  Time since{};
};

/// A place of one's own, with its name.
struct OwnPlace {
  access::Scope scope;
  std::string organization;  ///< "" on the platform.
  std::string project;       ///< "" outside projects.
  Role role = Role::member;
};

/// Memberships and roles. Everybody gives only what the action matrix lets him give: a role of an
/// organization or project in it, a project's only to members of its organization.
///
/// Ownership: store and the env's parts outlive it.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT MembershipRegistry {
 public:
  MembershipRegistry(storage::Store& store, const Env& env) : store_(store), env_(env) {}

  /// Members of exactly the scope. Needs member.view there.
  Result<Page<Member>> list(const access::Grant& grant, const access::Scope& scope,
                            PageRequest page);
  /// Give a role, also instead of another. Needs the permission to give it (and to take the one
  /// before). Fails with `not_found` for an unknown user, `failed_precondition`
  /// (rbac.not_in_organization) when he is not in the project's organization.
  Result<Member> put(const access::Grant& grant, const access::Scope& scope, access::UserId user,
                     Role role);
  /// The same by e-mail address, for those who may not list users.
  Result<Member> put_by_email(const access::Grant& grant, const access::Scope& scope,
                              std::string_view email, Role role);
  /// Take him out of the scope and everything inside it. Needs member.edit and the permission to
  /// give his role. Fails with `failed_precondition` (identity.last_admin).
  Result<void> remove(const access::Grant& grant, const access::Scope& scope, access::UserId user);

  /// Where one is a member; only one's own, so it needs no permission but a user's grant.
  Result<std::vector<OwnPlace>> own_places(const access::Grant& grant);
  /// Organizations that one may choose from: all of them with organization.view on the platform,
  /// else those in which one has a place.
  Result<Page<tenancy::Organization>> visible_organizations(const access::Grant& grant,
                                                            PageRequest page);
  /// Projects that one may choose from: all of the organization's with project.view in it, else
  /// those in which one has a place. Fails with `not_found` when one has none in the organization.
  Result<Page<tenancy::Project>> visible_projects(const access::Grant& grant,
                                                  access::OrganizationId organization,
                                                  PageRequest page);

 private:
  storage::Store& store_;
  Env env_;
};

/// What identity and tenancy ask of memberships.
///
/// Thread safety: any thread.
class ECP_EXPORT MembershipBook final : public identity::RoleBook, public tenancy::ScopeObserver {
 public:
  explicit MembershipBook(const Env& env) : env_(env) {}
  ~MembershipBook() override;
  Result<std::vector<access::UserId>> system_admins(storage::Transaction& transaction) override;
  Result<void> make_system_admin(storage::Transaction& transaction, access::UserId user,
                                 Time now) override;
  Result<void> user_removed(storage::Transaction& transaction, access::UserId user) override;
  Result<std::vector<std::string>> names_around(storage::Transaction& transaction,
                                                access::UserId user) override;
  Result<void> scope_removed(storage::Transaction& transaction,
                             const access::Scope& scope) override;

 private:
  Env env_;
};

}  // namespace ecp::inline v0::rbac
