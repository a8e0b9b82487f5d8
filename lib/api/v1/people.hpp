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
/// A secret member of a body, at most as long as a password may be.
[[nodiscard]] Result<Secret> secret_from(json::Reader& reader, std::string_view name);

}  // namespace ecp::inline v0::api
