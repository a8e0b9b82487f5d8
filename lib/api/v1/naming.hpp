// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// JSON of names; private to the endpoints.

#include <ecp/api/endpoint.hpp>
#include <ecp/tenancy/registries.hpp>

namespace ecp::inline v0::api {

[[nodiscard]] inline Result<tenancy::Naming> naming_from(const http::Request& request) {
  auto body = body_of(request);
  if (!body) return std::move(body).error();
  auto name = body->reader().text("name");
  if (!name) return std::move(name).error();
  auto description =
      body->reader().optional_text("description", {0, limits::description_length});
  if (!description) return std::move(description).error();
  if (auto finished = body->reader().finish(); !finished) return std::move(finished).error();
  return tenancy::Naming{std::move(*name), description->value_or("")};
}

[[nodiscard]] inline Result<tenancy::NamingChanges> naming_changes_from(
    const http::Request& request) {
  auto body = body_of(request);
  if (!body) return std::move(body).error();
  auto name = body->reader().optional_text("name");
  if (!name) return std::move(name).error();
  auto description =
      body->reader().optional_text("description", {0, limits::description_length});
  if (!description) return std::move(description).error();
  if (auto finished = body->reader().finish(); !finished) return std::move(finished).error();
  return tenancy::NamingChanges{std::move(*name), std::move(*description)};
}

}  // namespace ecp::inline v0::api
