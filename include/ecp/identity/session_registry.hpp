// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Logging in, staying logged in, logging out.

#include <string>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/identity/password.hpp>
#include <ecp/identity/ports.hpp>
#include <ecp/identity/user.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::identity {

/// How long log-ins last.
struct SessionOptions {
  Milliseconds access = std::chrono::minutes(15);   ///< Of one access token.
  Milliseconds idle = std::chrono::hours(12);       ///< Without a refresh.
  Milliseconds absolute = std::chrono::hours(168);  ///< Then one logs in again.
  Milliseconds link = std::chrono::minutes(5);      ///< Of a log-in link's code.
};

/// What a program gets when somebody logs in.
struct SessionTokens {
  Time issued_at{};
  Secret access_token;
  Time access_expires_at{};
  Secret refresh_token;  ///< Good for one refresh.
  Time refresh_expires_at{};
  User user;
};

/// Sessions: a person's log-ins. Tokens are random, stored hashed, and mean nothing outside.
///
/// Log-in, refresh and authentication need no grant; everything here is audited except
/// `authenticate`. Whether a user exists cannot be told from answer or time of `log_in`.
/// Ownership: store, hasher, roles and the env's parts outlive it.
/// Thread safety: any thread, outside units of work; `log_in` and `change_password` take the time
///   of a password hash.
class ECP_EXPORT SessionRegistry {
 public:
  SessionRegistry(storage::Store& store, PasswordHasher& hasher, RoleBook& roles, const Env& env,
                  SessionOptions options = {});

  /// Fails with `unauthenticated` (identity.wrong_credentials), `resource_exhausted` when there
  /// were too many tries or too many are logging in at this moment.
  Result<SessionTokens> log_in(std::string_view email, const Secret& password,
                               const access::Origin& origin);
  /// Exchange the code of a log-in link, once. Fails with `unauthenticated`.
  Result<SessionTokens> log_in_by_link(const Secret& code, const access::Origin& origin);
  /// New tokens for a refresh token. A token used before ends its session, for whoever shows it.
  /// When the user's roles have changed since, the session goes on under a new id.
  /// Fails with `unauthenticated`.
  Result<SessionTokens> refresh(const Secret& refresh_token, const access::Origin& origin);
  /// Whose access token this is. Fails with `unauthenticated`: identity.session_over, or
  /// identity.rights_changed when the user's roles have changed since the token was made and
  /// `refresh` gives a new one.
  Result<access::Principal> authenticate(std::string_view access_token);
  /// End the session of an access token. Fails with `unauthenticated`.
  Result<void> log_out(std::string_view access_token, const access::Origin& origin);

  /// Change one's own password; all one's sessions end. Needs no permission but a user's grant.
  /// Fails with `unauthenticated` (identity.wrong_credentials) when `current` is wrong, and as
  /// `check_password`.
  Result<void> change_password(const access::Grant& grant, const Secret& current,
                               const Secret& next);
  /// Make the code of a log-in link. Needs user.reset_password on the platform.
  Result<Secret> make_login_link(const access::Grant& grant, std::string_view email);
  /// Forget what has expired; run now and then by the plane.
  Result<void> sweep();

 private:
  /// Count and record a failure; `was_tried` is false when the password was not even looked at.
  Result<void> fail_log_in(std::string_view email, const access::Origin& origin, bool was_tried);

  storage::Store& store_;
  PasswordHasher& hasher_;
  RoleBook& roles_;
  Env env_;
  SessionOptions options_;
};

}  // namespace ecp::inline v0::identity
