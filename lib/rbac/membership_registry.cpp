// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/membership_registry.hpp>

#include <algorithm>

#include <ecp/access/permissions.hpp>
#include <ecp/access/reasons.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/identity/reasons.hpp>
#include <ecp/identity/stores.hpp>
#include <ecp/rbac/operations.hpp>
#include <ecp/rbac/reasons.hpp>
#include <ecp/tenancy/stores.hpp>

namespace ecp::inline v0::rbac {
namespace {

namespace permissions = access::permissions;

audit::Subject subject_of(const identity::User& user) {
  return {"user", user.id.to_string(), user.email};
}

/// Fails when the user is the last system administrator who can log in.
Result<void> check_other_admin(storage::Transaction& transaction, access::UserId user) {
  ECP_TRY(const auto admins,
          transaction.get<MembershipStore>().list(access::Scope::platform(), {INT64_MAX, 0}));
  for (const auto& admin : admins.items) {
    if (admin.user == user) continue;
    ECP_TRY(const auto other, transaction.get<identity::UserStore>().get(admin.user));
    if (other.enabled) return {};
  }
  return identity::reasons::last_admin;
}

Result<void> check_in_organization(MembershipStore& members, access::UserId user,
                                   const access::Scope& scope) {
  if (scope.level() != access::ScopeLevel::project) return {};
  ECP_TRY(const auto place, members.find(user, {scope.organization, {}}));
  if (!place) return reasons::not_in_organization;
  return {};
}

template <class T>
Page<T> cut(std::vector<T> all, PageRequest page) {
  Page<T> part;
  part.total = static_cast<std::int64_t>(all.size());
  const auto begin = std::min(page.offset, part.total);
  const auto end = std::min(begin + page.limit, part.total);
  part.items.assign(std::make_move_iterator(all.begin() + begin),
                    std::make_move_iterator(all.begin() + end));
  return part;
}

/// Projects of an organization in which a user is a member, by name; none when he has no place in
/// the organization at all.
Result<std::optional<std::vector<tenancy::Project>>> own_projects(
    storage::Transaction& transaction, access::UserId user, access::OrganizationId organization) {
  ECP_TRY(const auto memberships, transaction.get<MembershipStore>().of_user(user));
  std::optional<std::vector<tenancy::Project>> own;
  for (const auto& membership : memberships) {
    if (membership.scope.organization != organization) continue;
    if (!own) own.emplace();
    if (membership.scope.project.is_nil()) continue;
    ECP_TRY(auto project,
            transaction.get<tenancy::ProjectStore>().get(organization, membership.scope.project));
    own->push_back(std::move(project));
  }
  if (own) {
    std::sort(own->begin(), own->end(),
              [](const auto& left, const auto& right) { return left.name < right.name; });
  }
  return own;
}

}  // namespace

Result<Page<Member>> MembershipRegistry::list(const access::Grant& grant,
                                              const access::Scope& scope, PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::member_view, scope));
  return store_.read([&](storage::Transaction& transaction) -> Result<Page<Member>> {
    ECP_TRY(const auto memberships, transaction.get<MembershipStore>().list(scope, page));
    Page<Member> members;
    members.total = memberships.total;
    for (const auto& membership : memberships.items) {
      ECP_TRY(auto user, transaction.get<identity::UserStore>().get(membership.user));
      members.items.push_back({std::move(user), membership.role, membership.created_at});
    }
    return members;
  });
}

Result<Member> MembershipRegistry::put(const access::Grant& grant, const access::Scope& scope,
                                       access::UserId user, Role role) {
  ECP_TRY(const auto* const needed, permission_to_give(role, scope.level()));
  ECP_TRY_VOID(grant.require(*needed, scope));
  ECP_TRY(const auto before, store_.read([&](storage::Transaction& transaction) {
    return transaction.get<MembershipStore>().find(user, scope);
  }));
  if (before && before->role != role) {
    ECP_TRY(const auto* const to_take, permission_to_give(before->role, scope.level()));
    ECP_TRY_VOID(grant.require(*to_take, scope));
  }
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<Member> {
    auto& members = transaction.get<MembershipStore>();
    ECP_TRY(auto person, transaction.get<identity::UserStore>().get(user));
    ECP_TRY(const auto now_there, members.find(user, scope));
    const bool is_as_seen = now_there.has_value() == before.has_value() &&
                            (!now_there || now_there->role == before->role);
    if (!is_as_seen) return reasons::role_changed;
    ECP_TRY_VOID(check_in_organization(members, user, scope));
    const Membership membership{user, scope, role, before ? before->created_at : env_.clock.now()};
    ECP_TRY_VOID(members.put(membership));
    ECP_TRY_VOID(transaction.get<access::PrincipalStore>().touch(user.bytes(), env_.clock.now()));
    audit::Details details{{"role", std::string(to_string(role))}};
    if (before) details.emplace_back("old_role", to_string(before->role));
    ECP_TRY_VOID(audit::append(transaction, grant, operations::member_put, subject_of(person),
                               std::move(details)));
    return Member{std::move(person), role, membership.created_at};
  });
}

Result<Member> MembershipRegistry::put_by_email(const access::Grant& grant,
                                                const access::Scope& scope, std::string_view email,
                                                Role role) {
  ECP_TRY(const auto* const needed, permission_to_give(role, scope.level()));
  ECP_TRY_VOID(grant.require(*needed, scope));
  ECP_TRY(const auto user, store_.read([&](storage::Transaction& transaction) {
    return transaction.get<identity::UserStore>().find_by_email(email);
  }));
  if (!user) return Error(ecp::reasons::not_found, {{"noun", "user"}});
  return put(grant, scope, user->id, role);
}

Result<void> MembershipRegistry::remove(const access::Grant& grant, const access::Scope& scope,
                                        access::UserId user) {
  ECP_TRY_VOID(grant.require(permissions::member_edit, scope));
  ECP_TRY(const auto before, store_.read([&](storage::Transaction& transaction) {
    return transaction.get<MembershipStore>().find(user, scope);
  }));
  if (!before) return Error(ecp::reasons::not_found, {{"noun", "member"}});
  ECP_TRY(const auto* const to_take, permission_to_give(before->role, scope.level()));
  ECP_TRY_VOID(grant.require(*to_take, scope));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& members = transaction.get<MembershipStore>();
    ECP_TRY(const auto person, transaction.get<identity::UserStore>().get(user));
    ECP_TRY(const auto now_there, members.find(user, scope));
    if (!now_there || now_there->role != before->role) return reasons::role_changed;
    if (before->role == Role::system_admin) {
      ECP_TRY_VOID(check_other_admin(transaction, user));
    }
    ECP_TRY_VOID(members.remove_inside(user, scope));
    ECP_TRY_VOID(transaction.get<access::PrincipalStore>().touch(user.bytes(), env_.clock.now()));
    return audit::append(transaction, grant, operations::member_remove, subject_of(person),
                         {{"role", std::string(to_string(before->role))}});
  });
}

Result<std::vector<OwnPlace>> MembershipRegistry::own_places(const access::Grant& grant) {
  if (grant.principal().kind != access::PrincipalKind::user) return access::reasons::not_a_user;
  const access::UserId user(grant.principal().id);
  return store_.read([&](storage::Transaction& transaction) -> Result<std::vector<OwnPlace>> {
    ECP_TRY(const auto memberships, transaction.get<MembershipStore>().of_user(user));
    std::vector<OwnPlace> places;
    for (const auto& membership : memberships) {
      OwnPlace place{membership.scope, {}, {}, membership.role};
      const auto& scope = membership.scope;
      if (!scope.organization.is_nil()) {
        ECP_TRY(auto organization,
                transaction.get<tenancy::OrganizationStore>().get(scope.organization));
        place.organization = std::move(organization.name);
      }
      if (!scope.project.is_nil()) {
        ECP_TRY(auto project,
                transaction.get<tenancy::ProjectStore>().get(scope.organization, scope.project));
        place.project = std::move(project.name);
      }
      places.push_back(std::move(place));
    }
    return places;
  });
}

Result<Page<tenancy::Organization>> MembershipRegistry::visible_organizations(
    const access::Grant& grant, PageRequest page) {
  const bool sees_all = grant.allows(permissions::organization_view, access::Scope::platform());
  if (!sees_all && grant.principal().kind != access::PrincipalKind::user) {
    return access::reasons::not_a_user;
  }
  return store_.read([&](storage::Transaction& transaction) -> Result<Page<tenancy::Organization>> {
    auto& organizations = transaction.get<tenancy::OrganizationStore>();
    if (sees_all) return organizations.list(page);
    ECP_TRY(const auto memberships,
            transaction.get<MembershipStore>().of_user(access::UserId(grant.principal().id)));
    std::vector<tenancy::Organization> visible;
    for (const auto& membership : memberships) {
      const auto id = membership.scope.organization;
      const bool is_known = std::any_of(visible.begin(), visible.end(),
                                        [&](const auto& one) { return one.id == id; });
      if (id.is_nil() || is_known) continue;
      ECP_TRY(auto organization, organizations.get(id));
      visible.push_back(std::move(organization));
    }
    std::sort(visible.begin(), visible.end(),
              [](const auto& left, const auto& right) { return left.name < right.name; });
    return cut(std::move(visible), page);
  });
}

Result<Page<tenancy::Project>> MembershipRegistry::visible_projects(
    const access::Grant& grant, access::OrganizationId organization, PageRequest page) {
  const access::Scope scope{organization, {}};
  const bool sees_all = grant.allows(permissions::project_view, scope);
  if (sees_all || grant.principal().kind != access::PrincipalKind::user) {
    ECP_TRY_VOID(grant.require(permissions::project_view, scope));
    return store_.read([&](storage::Transaction& transaction) {
      return transaction.get<tenancy::ProjectStore>().list(organization, page);
    });
  }
  ECP_TRY(auto visible, store_.read([&](storage::Transaction& transaction) {
    return own_projects(transaction, access::UserId(grant.principal().id), organization);
  }));
  // Without any place in it the organization is foreign.
  if (!visible) ECP_TRY_VOID(grant.require(permissions::organization_view, scope));
  return cut(visible ? std::move(*visible) : std::vector<tenancy::Project>{}, page);
}

}  // namespace ecp::inline v0::rbac
