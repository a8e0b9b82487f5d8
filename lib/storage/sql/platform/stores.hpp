// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of the stores; private to this folder.

#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage::platform_stores {

[[nodiscard]] ErasedStore make_idempotency(sql::Connection& connection);
[[nodiscard]] ErasedStore make_keys(sql::Connection& connection);
[[nodiscard]] ErasedStore make_outbox(sql::Connection& connection);

}  // namespace ecp::inline v0::storage::platform_stores
