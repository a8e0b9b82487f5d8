// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What several endpoints of people share; private to this folder.

#include <optional>
#include <string>
#include <string_view>

#include <ecp/api/endpoint.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/identity/user_registry.hpp>

namespace ecp::inline v0::api {

inline constexpr json::TextBounds email_bounds{1, limits::email_length};
/// A code point takes up to four octets.
inline constexpr std::size_t password_octets = 4 * limits::password_max;
/// Of tokens, codes and the one-time secret; ours are shorter.
inline constexpr std::size_t proof_octets = 512;

void write_user(json::Writer& writer, const identity::User& user);
[[nodiscard]] http::Response user_response(int status, const identity::User& user);
/// `email`, `name` and `password`.
[[nodiscard]] Result<identity::NewUser> read_new_user(json::Reader& reader);
/// A member that must not be seen afterwards.
[[nodiscard]] Result<Secret> read_secret(json::Reader& reader, std::string_view name,
                                         std::size_t max_octets);
/// RFC 3339 text, or none.
[[nodiscard]] std::optional<std::string> text_of(std::optional<Time> time);
/// Text of an id, or none for nil.
template <class SomeId>
[[nodiscard]] std::optional<std::string> text_or_none(SomeId id) {
  if (id.is_nil()) return std::nullopt;
  return id.to_string();
}

}  // namespace ecp::inline v0::api
