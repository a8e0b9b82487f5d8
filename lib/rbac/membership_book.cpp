// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/membership_registry.hpp>
#include <ecp/tenancy/stores.hpp>

namespace ecp::inline v0::rbac {

MembershipBook::~MembershipBook() = default;

Result<std::vector<access::UserId>> MembershipBook::system_admins(
    storage::Transaction& transaction) {
  ECP_TRY(const auto members,
          transaction.get<MembershipStore>().list(access::Scope::platform(), {INT64_MAX, 0}));
  std::vector<access::UserId> admins;
  for (const auto& member : members.items) admins.push_back(member.user);
  return admins;
}

Result<void> MembershipBook::make_system_admin(storage::Transaction& transaction,
                                               access::UserId user, Time now) {
  ECP_TRY_VOID(transaction.get<MembershipStore>().put(
      {user, access::Scope::platform(), Role::system_admin, now}));
  return transaction.get<access::PrincipalStore>().touch(user.bytes(), now);
}

Result<void> MembershipBook::user_removed(storage::Transaction& transaction, access::UserId user) {
  return transaction.get<MembershipStore>().remove_user(user);
}

Result<std::vector<std::string>> MembershipBook::names_around(storage::Transaction& transaction,
                                                              access::UserId user) {
  ECP_TRY(const auto memberships, transaction.get<MembershipStore>().of_user(user));
  std::vector<std::string> names;
  for (const auto& membership : memberships) {
    const auto& scope = membership.scope;
    if (scope.organization.is_nil()) continue;
    ECP_TRY(auto organization,
            transaction.get<tenancy::OrganizationStore>().get(scope.organization));
    names.push_back(std::move(organization.name));
    if (scope.project.is_nil()) continue;
    ECP_TRY(auto project,
            transaction.get<tenancy::ProjectStore>().get(scope.organization, scope.project));
    names.push_back(std::move(project.name));
  }
  return names;
}

Result<void> MembershipBook::scope_removed(storage::Transaction& transaction,
                                           const access::Scope& scope) {
  auto& members = transaction.get<MembershipStore>();
  ECP_TRY(const auto gone, members.list(scope, {INT64_MAX, 0}));
  for (const auto& member : gone.items) {
    ECP_TRY_VOID(
        transaction.get<access::PrincipalStore>().touch(member.user.bytes(), env_.clock.now()));
  }
  return members.remove_scope(scope);
}

}  // namespace ecp::inline v0::rbac
