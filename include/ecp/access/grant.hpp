// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Who calls, where, and the proof that a permission was checked.

#include <cstdint>
#include <functional>
#include <string_view>

#include <ecp/access/ids.hpp>
#include <ecp/access/permission.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::rbac {
class Authorizer;
}

namespace ecp::inline v0::access {

/// What can act: a person, an edge node's agent, or a part of this program.
enum class PrincipalKind : std::uint8_t { user, agent, system };

/// Who acts. Holds no strings, so it is cheap to copy.
struct Principal {
  PrincipalKind kind = PrincipalKind::user;
  IdBytes id{};             ///< UserId, EdgeNodeId, or nil for system.
  std::string_view source;  ///< How he proved it: "session", "login-link", "certificate", or the
                            ///< system task's name; static storage.
};

/// Where: the platform (both nil), an organization, or a project in it.
struct Scope {
  OrganizationId organization;
  ProjectId project;

  [[nodiscard]] static Scope platform() { return {}; }
  [[nodiscard]] ScopeLevel level() const noexcept {
    if (!project.is_nil()) return ScopeLevel::project;
    return organization.is_nil() ? ScopeLevel::platform : ScopeLevel::organization;
  }
  /// True when `other` lies inside this scope.
  [[nodiscard]] bool contains(const Scope& other) const noexcept {
    if (organization.is_nil()) return true;
    if (organization != other.organization) return false;
    return project.is_nil() || project == other.project;
  }
  friend bool operator==(const Scope&, const Scope&) = default;
};

/// Where a request came from; what audit entries and denials carry besides the principal.
struct Origin {
  std::uint64_t request_number = 0;  ///< Random; its hex text is the request id.
  IdBytes remote{};                  ///< IPv6 or IPv4-mapped address.
};

class Grant;

/// Commits a refusal as an audit entry of its own. Implemented by audit.
class ECP_EXPORT DenialSink {
 public:
  virtual ~DenialSink();
  virtual void denied(const Grant& grant, const Permission& permission, const Scope& scope) = 0;
};

/// Proof that `principal` may use some permissions inside `scope`, resting on one revision of his
/// memberships. Only rbac::Authorizer makes one; move-only, so that it cannot be kept beyond the
/// call. Each use-case asks for the very permission it needs.
///
/// Ownership: the registry and sink it refers to outlive it.
/// Thread safety: bound to the call.
class ECP_EXPORT Grant {
 public:
  Grant(Grant&&) noexcept = default;
  Grant& operator=(Grant&&) noexcept = default;
  Grant(const Grant&) = delete;
  Grant& operator=(const Grant&) = delete;

  [[nodiscard]] const Principal& principal() const noexcept { return principal_; }
  [[nodiscard]] const Scope& scope() const noexcept { return scope_; }
  [[nodiscard]] const Origin& origin() const noexcept { return origin_; }
  /// Revision row of the principal that the rights rest on; `none` for system.
  [[nodiscard]] Revision principal_revision() const noexcept { return revision_; }
  /// False when the scope is foreign to the principal.
  [[nodiscard]] bool holds_any() const noexcept { return permissions_.any(); }
  /// Time and a new id, for the audit entry of what is done with this grant.
  [[nodiscard]] Time now() const { return clock_->now(); }
  [[nodiscard]] IdBytes next_id() const { return ids_->next_bytes(); }

  /// Fails with `not_found` when the principal has no permission at all in the scope (a foreign
  /// organization or project answers like an unknown one), and with `permission_denied` when he has
  /// some but not this one, or the scope is the platform. Either refusal is committed as an audit
  /// entry, so this is called outside units of work.
  [[nodiscard]] Result<void> require(const Permission& permission, const Scope& scope) const;
  /// The same question without consequence, for answers that show only what one may see.
  [[nodiscard]] bool allows(const Permission& permission, const Scope& scope) const noexcept;

 private:
  friend class ecp::rbac::Authorizer;
  Grant(Principal principal, Scope scope, PermissionSet permissions, Revision revision,
        Origin origin, const PermissionRegistry& registry, DenialSink& denials, const Env& env)
      : principal_(principal),
        scope_(scope),
        permissions_(permissions),
        revision_(revision),
        origin_(origin),
        registry_(&registry),
        denials_(&denials),
        clock_(&env.clock),
        ids_(&env.ids) {}

  Principal principal_;
  Scope scope_;
  PermissionSet permissions_;
  Revision revision_;
  Origin origin_;
  const PermissionRegistry* registry_;
  DenialSink* denials_;
  const Clock* clock_;
  IdSource* ids_;
};

/// Revisions of principals: raised whenever a role, membership, or the standing of a user changes.
class ECP_EXPORT PrincipalStore {
 public:
  static constexpr std::string_view store_name = "access.principals";
  virtual ~PrincipalStore();
  /// Revision of a principal; `first` for one never changed.
  virtual Result<Revision> revision(const IdBytes& principal) = 0;
  /// Raise it; every Grant made before fails its next write.
  virtual Result<void> touch(const IdBytes& principal, Time now) = 0;
};

/// Fails with `conflict` (access.rights_changed) when the principal's revision is no longer the one
/// that the grant rests on; `write` below calls it first.
[[nodiscard]] ECP_EXPORT Result<void> check_current(storage::Transaction& transaction,
                                                    const Grant& grant);

/// Run a unit that changes something on behalf of a grant.
template <class Unit>
auto write(storage::Store& store, const Grant& grant, Unit&& unit)
    -> std::invoke_result_t<Unit&, storage::Transaction&> {
  return store.write(
      [&](storage::Transaction& transaction) -> std::invoke_result_t<Unit&, storage::Transaction&> {
        if (auto current = check_current(transaction, grant); !current) {
          return std::move(current).error();
        }
        return unit(transaction);
      });
}

}  // namespace ecp::inline v0::access
