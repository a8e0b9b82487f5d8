// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Making and reading tokens; private to identity.

#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/env.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/identity/stores.hpp>

namespace ecp::inline v0::identity {

/// What a refresh token says: "ecpr_" and base64url of family and the secret of this turn. The
/// family finds the session, and proves that even an old token was once ours.
struct RefreshToken {
  std::string family_hash;
  std::string hash;  ///< Of the whole token.
};

/// Make "<prefix>_" and 256 random bits in base64url.
[[nodiscard]] Secret make_secret(std::string_view prefix, Random& random);
[[nodiscard]] Secret make_refresh_token(BytesView family, Random& random);
[[nodiscard]] std::optional<RefreshToken> read_refresh_token(const Secret& token);
/// The family of a refresh token that was read before.
[[nodiscard]] Secret family_of(const Secret& token);

inline constexpr std::size_t family_size = 16;

}  // namespace ecp::inline v0::identity
