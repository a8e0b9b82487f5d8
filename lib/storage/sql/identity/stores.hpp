// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of the stores of identity; private to this folder.

#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage::identity_stores {

ErasedStore make_users(sql::Connection& connection);
ErasedStore make_sessions(sql::Connection& connection);
ErasedStore make_one_time(sql::Connection& connection);
ErasedStore make_attempts(sql::Connection& connection);

}  // namespace ecp::inline v0::storage::identity_stores
