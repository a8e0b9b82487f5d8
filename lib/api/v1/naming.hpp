// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// JSON of names; private to the endpoints.

#include <ecp/api/endpoint.hpp>
#include <ecp/tenancy/registries.hpp>

namespace ecp::inline v0::api {

/// The whole body of a POST, and of a PATCH.
[[nodiscard]] Result<tenancy::Naming> naming_from(const http::Request& request);
[[nodiscard]] Result<tenancy::NamingChanges> naming_changes_from(const http::Request& request);

}  // namespace ecp::inline v0::api
