// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The one maker of grants.

#include <span>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/access/permission.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::rbac {

/// Tells what a principal may do in a scope, from his memberships as they are now.
///
/// Ownership: store, registry, sink and the env's parts outlive it and all its grants.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT Authorizer final {
 public:
  Authorizer(storage::Store& store, const access::PermissionRegistry& permissions,
             access::DenialSink& denials, const Env& env);

  /// Make a grant. In a foreign scope, or one that does not exist, it is empty, so that its
  /// `require` answers `not_found` for both alike. Fails with `unavailable` when the memberships
  /// cannot be read.
  [[nodiscard]] Result<access::Grant> authorize(const access::Principal& principal,
                                                const access::Scope& scope,
                                                const access::Origin& origin) const;

  /// A grant of all permissions for our own engines and command line; `task` names it in audit
  /// entries and has static storage: "presence", "cli.login-link".
  [[nodiscard]] access::Grant system(std::string_view task, const access::Scope& scope) const;
  /// The same with these permissions alone, for a task that needs no more.
  [[nodiscard]] access::Grant system(std::string_view task, const access::Scope& scope,
                                     std::span<const access::Permission* const> permissions) const;

 private:
  storage::Store& store_;
  const access::PermissionRegistry& permissions_;
  access::DenialSink& denials_;
  Env env_;
};

}  // namespace ecp::inline v0::rbac
