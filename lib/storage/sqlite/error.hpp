// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// SQLite's result codes as our errors.

#include <string_view>

#include <sqlite3.h>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::storage::sqlite {

/// Classify a failure of a connection; `doing` (SQL or a file's path) goes into the context.
/// `read_only` tells that the connection itself forbids writing now.
[[nodiscard]] Error to_error(sqlite3* database, int code, std::string_view doing, bool read_only);

}  // namespace ecp::inline v0::storage::sqlite
