// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Who has which role where.

#include <optional>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/rbac/role.hpp>

namespace ecp::inline v0::rbac {

/// A person's place on the platform, in an organization or in a project; one role per place.
struct Membership {
  access::UserId user;
  access::Scope scope;
  Role role = Role::member;
  Time created_at{};
};

/// Memberships. Its SQL lives in lib/storage/sql/rbac/.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT MembershipStore {
 public:
  static constexpr std::string_view store_name = "rbac.memberships";
  virtual ~MembershipStore();
  /// Insert, or give another role in the same place.
  virtual Result<void> put(const Membership& membership) = 0;
  virtual Result<std::optional<Membership>> find(access::UserId user,
                                                 const access::Scope& scope) = 0;
  /// All of a user.
  virtual Result<std::vector<Membership>> of_user(access::UserId user) = 0;
  /// One page of those in exactly this scope, the oldest first.
  virtual Result<Page<Membership>> list(const access::Scope& scope, PageRequest page) = 0;
  /// Remove a user from a scope and, of an organization, from its projects. On the platform only
  /// his place there goes. Removing an absent one is success.
  virtual Result<void> remove_inside(access::UserId user, const access::Scope& scope) = 0;
  /// Remove everybody from a scope and everything inside it.
  virtual Result<void> remove_scope(const access::Scope& scope) = 0;
  virtual Result<void> remove_user(access::UserId user) = 0;
};

}  // namespace ecp::inline v0::rbac
