// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of the stores of tenancy; private to this folder.

#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage::tenancy_stores {

ErasedStore make_organizations(sql::Connection& connection);
ErasedStore make_projects(sql::Connection& connection);

}  // namespace ecp::inline v0::storage::tenancy_stores
