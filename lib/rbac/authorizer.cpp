// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/authorizer.hpp>

#include <vector>

#include <ecp/access/permissions.hpp>
#include <ecp/identity/stores.hpp>
#include <ecp/rbac/membership.hpp>
#include <ecp/tenancy/stores.hpp>

namespace ecp::inline v0::rbac {
namespace {

using access::PermissionSet;
using access::ScopeLevel;

/// What a grant rests on, read in one unit of work.
struct Standing {
  PermissionSet permissions;
  Revision revision = Revision::none;
};

PermissionSet set_of(const access::Permission& permission,
                     const access::PermissionRegistry& registry) {
  PermissionSet set;
  set.set(static_cast<std::size_t>(registry.index(permission)));
  return set;
}

/// What one membership gives in a scope.
PermissionSet given_by(const Membership& membership, const access::Scope& scope,
                       const access::PermissionRegistry& registry) {
  if (membership.scope.contains(scope)) {
    // A plain member of an organization has nothing there and nothing in its projects: he is only
    // eligible for them.
    const bool is_only_eligible =
        membership.role == Role::member && membership.scope.level() == ScopeLevel::organization;
    return is_only_eligible ? PermissionSet{} : permissions_of(membership.role, registry);
  }
  // The administrator of a project sees the organization around it.
  if (membership.role == Role::project_admin && scope.level() == ScopeLevel::organization &&
      scope.contains(membership.scope)) {
    return set_of(access::permissions::organization_view, registry);
  }
  return {};
}

/// Fails with an error of the store; false when there is no such organization or project.
Result<bool> exists(storage::Transaction& transaction, const access::Scope& scope) {
  if (scope.level() == ScopeLevel::platform) return true;
  const auto known = [](const auto& found) -> Result<bool> {
    if (found) return true;
    if (found.error().code() == ErrorCode::not_found) return false;
    return found.error();
  };
  if (scope.level() == ScopeLevel::organization) {
    return known(transaction.get<tenancy::OrganizationStore>().get(scope.organization));
  }
  return known(transaction.get<tenancy::ProjectStore>().get(scope.organization, scope.project));
}

Result<Standing> read_standing(storage::Transaction& transaction, access::UserId user,
                               const access::Scope& scope,
                               const access::PermissionRegistry& registry) {
  Standing standing;
  ECP_TRY(standing.revision, transaction.get<access::PrincipalStore>().revision(user.bytes()));
  const auto person = transaction.get<identity::UserStore>().get(user);
  if (!person && person.error().code() != ErrorCode::not_found) return person.error();
  if (!person || !person->enabled) return standing;
  ECP_TRY(const bool is_there, exists(transaction, scope));
  if (!is_there) return standing;
  ECP_TRY(const auto memberships, transaction.get<MembershipStore>().of_user(user));
  for (const auto& membership : memberships) {
    standing.permissions |= given_by(membership, scope, registry);
  }
  return standing;
}

}  // namespace

MembershipStore::~MembershipStore() = default;

Authorizer::Authorizer(storage::Store& store, const access::PermissionRegistry& permissions,
                       access::DenialSink& denials, const Env& env)
    : store_(store), permissions_(permissions), denials_(denials), env_(env) {}

Result<access::Grant> Authorizer::authorize(const access::Principal& principal,
                                            const access::Scope& scope,
                                            const access::Origin& origin) const {
  Standing standing;
  if (principal.kind == access::PrincipalKind::user) {
    ECP_TRY(standing, store_.read([&](storage::Transaction& transaction) {
      return read_standing(transaction, access::UserId(principal.id), scope, permissions_);
    }));
  }
  return access::Grant(principal, scope, standing.permissions, standing.revision, origin,
                       permissions_, denials_, env_);
}

access::Grant Authorizer::system(std::string_view task, const access::Scope& scope) const {
  const access::Principal principal{access::PrincipalKind::system, {}, task};
  return access::Grant(principal, scope, permissions_of(Role::system_admin, permissions_),
                       Revision::none, {}, permissions_, denials_, env_);
}

access::Grant Authorizer::system(std::string_view task, const access::Scope& scope,
                                 std::span<const access::Permission* const> permissions) const {
  PermissionSet set;
  for (const auto* permission : permissions) set |= set_of(*permission, permissions_);
  const access::Principal principal{access::PrincipalKind::system, {}, task};
  return access::Grant(principal, scope, set, Revision::none, {}, permissions_, denials_, env_);
}

}  // namespace ecp::inline v0::rbac
