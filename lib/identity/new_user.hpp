// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What is checked and made before a user's transaction begins; private to identity.

#include <string>

#include <ecp/core/env.hpp>
#include <ecp/identity/user_registry.hpp>

namespace ecp::inline v0::identity {

struct PreparedUser {
  User user;
  std::string password_hash;
};

/// Check a person to be and hash his password.
[[nodiscard]] Result<PreparedUser> prepare_user(NewUser wanted, PasswordHasher& hasher,
                                                const Env& env);

}  // namespace ecp::inline v0::identity
