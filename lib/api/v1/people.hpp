// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// JSON of people; private to the endpoints.

#include <ecp/api/endpoint.hpp>
#include <ecp/core/json.hpp>
#include <ecp/identity/user.hpp>
#include <ecp/identity/user_registry.hpp>

namespace ecp::inline v0::api {

void write_user(json::Writer& writer, const identity::User& user);
[[nodiscard]] http::Response user_response(int status, const identity::User& user);
/// `email`, `name` and `password` of a body; the reader goes on from there.
[[nodiscard]] Result<identity::NewUser> new_user_from(json::Reader& reader);
inline constexpr std::size_t octets_per_character = 4;  // Of UTF-8, at most.
/// A secret member of a body, by default at most as long as a password may be.
[[nodiscard]] Result<Secret> secret_from(json::Reader& reader, std::string_view name,
                                         std::size_t max_octets = octets_per_character *
                                                                  limits::password_max);

}  // namespace ecp::inline v0::api
