// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Names and descriptions in bodies; private to this folder.

#include <ecp/api/endpoint.hpp>
#include <ecp/tenancy/registries.hpp>

namespace ecp::inline v0::api {

/// `name`, and `description` when there is one.
[[nodiscard]] Result<tenancy::Naming> naming_from(const http::Request& request);
/// The same where either may be absent: then it stays as it is `before`.
[[nodiscard]] Result<tenancy::Naming> naming_from(const http::Request& request,
                                                  tenancy::Naming before);

}  // namespace ecp::inline v0::api
