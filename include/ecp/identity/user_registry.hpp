// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Use-cases of users.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/identity/password.hpp>
#include <ecp/identity/ports.hpp>
#include <ecp/identity/user.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::identity {

/// A person to be.
struct NewUser {
  std::string email;
  std::string name;
  Secret password;
};

/// What is to be changed; the rest stays.
struct UserChanges {
  std::optional<std::string> email;
  std::optional<std::string> name;
  std::optional<bool> enabled;
};

/// Users belong to the platform; all permissions here are asked for there.
///
/// Ownership: store, hasher, roles and the env's parts outlive it.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT UserRegistry {
 public:
  UserRegistry(storage::Store& store, PasswordHasher& hasher, RoleBook& roles, const Env& env);
  /// Needs user.create. Fails as `check_password`, and with `already_exists`.
  Result<User> create(const access::Grant& grant, NewUser wanted);
  /// Oneself; needs no permission but a user's grant.
  Result<User> own(const access::Grant& grant);
  /// Needs user.view.
  Result<User> get(const access::Grant& grant, access::UserId id);
  Result<Page<User>> list(const access::Grant& grant, PageRequest page);
  /// Needs user.edit, and user.enable when `enabled` is among the changes. A disabled user's
  /// sessions end. Fails with `failed_precondition` (identity.last_admin).
  Result<User> update(const access::Grant& grant, access::UserId id, Revision revision,
                      UserChanges changes);
  /// Needs user.delete. Fails with `failed_precondition` (identity.last_admin).
  Result<void> remove(const access::Grant& grant, access::UserId id, Revision revision);
  /// Set another user's password, unlock him and end his sessions. Needs user.reset_password.
  Result<void> reset_password(const access::Grant& grant, access::UserId id, const Secret& next);
  /// As above, for the command line.
  Result<User> find_by_email(const access::Grant& grant, std::string_view email);

 private:
  storage::Store& store_;
  PasswordHasher& hasher_;
  RoleBook& roles_;
  Env env_;
};

/// Fail with `invalid_argument` unless e-mail address and name are well-formed.
[[nodiscard]] ECP_EXPORT Result<void> check_person(std::string_view email, std::string_view name);

/// Words that may not be the password of somebody: his name, his address and its parts.
[[nodiscard]] ECP_EXPORT std::vector<std::string> words_about(const User& user);

/// End everything that rests on a user's standing: sessions now, grants at their next write.
[[nodiscard]] ECP_EXPORT Result<void> end_sessions(storage::Transaction& transaction,
                                                   access::UserId user, Time now);

}  // namespace ecp::inline v0::identity
