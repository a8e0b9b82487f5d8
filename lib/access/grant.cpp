// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/grant.hpp>

#include <ecp/access/reasons.hpp>

namespace ecp::inline v0::access {

DenialSink::~DenialSink() = default;
PrincipalStore::~PrincipalStore() = default;

bool Grant::allows(const Permission& permission, const Scope& scope) const noexcept {
  if (!scope_.contains(scope)) return false;
  return permissions_.test(static_cast<std::size_t>(registry_->index(permission)));
}

Result<void> Grant::require(const Permission& permission, const Scope& scope) const {
  if (allows(permission, scope)) return {};
  denials_->denied(*this, permission, scope);
  const bool is_hidden =
      scope.level() != ScopeLevel::platform && (!scope_.contains(scope) || permissions_.none());
  if (is_hidden) return reasons::no_such_scope;
  return Error(reasons::permission_denied, {{"permission", std::string(permission.name)}});
}

Result<void> check_current(storage::Transaction& transaction, const Grant& grant) {
  if (grant.principal().kind == PrincipalKind::system) return {};
  ECP_TRY(const auto revision, transaction.get<PrincipalStore>().revision(grant.principal().id));
  if (revision != grant.principal_revision()) return reasons::rights_changed;
  return {};
}

}  // namespace ecp::inline v0::access
