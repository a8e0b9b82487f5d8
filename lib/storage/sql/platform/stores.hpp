// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of the stores of platform; private to this folder.

#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage::platform_stores {

ErasedStore make_outbox(sql::Connection& connection);
ErasedStore make_keys(sql::Connection& connection);
ErasedStore make_keyed_requests(sql::Connection& connection);

}  // namespace ecp::inline v0::storage::platform_stores
