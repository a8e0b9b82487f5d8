// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The live page's files, read once at start and served from memory.

#include <string>

#include <ecp/api/router.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::server {

/// Add GET / and GET /assets/:file for the built page in `folder`. Fails when a file is missing or
/// larger than a page may be.
[[nodiscard]] Result<void> add_live_page(api::Router& router, const std::string& folder);

}  // namespace ecp::inline v0::server
