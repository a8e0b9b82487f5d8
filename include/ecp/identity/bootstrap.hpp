// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How the first administrator comes into being.

#include <optional>
#include <string>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/identity/password.hpp>
#include <ecp/identity/ports.hpp>
#include <ecp/identity/user_registry.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::identity {

/// The one-time secret: 256 random bits in a 0600 file, good for 24 hours and one use, and only as
/// long as there is no system administrator. There is no other way in.
///
/// Ownership: store, hasher, roles and the env's parts outlive it.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT Bootstrap {
 public:
  Bootstrap(storage::Store& store, PasswordHasher& hasher, RoleBook& roles, const Env& env,
            std::string secret_path);
  /// Make the file unless an administrator exists or its secret is still good; return its path
  /// while it waits. To be called at every start.
  Result<std::optional<std::string>> prepare();
  /// Create the first administrator and remove the file. Fails with `unauthenticated`
  /// (identity.bad_bootstrap_secret), and as UserRegistry::create.
  Result<User> complete(const Secret& secret, NewUser wanted, const access::Origin& origin);

 private:
  storage::Store& store_;
  PasswordHasher& hasher_;
  RoleBook& roles_;
  Env env_;
  std::string secret_path_;
};

}  // namespace ecp::inline v0::identity
