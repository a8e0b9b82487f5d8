// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of the fleet's stores, one per file.

#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::fleet::sql_stores {

storage::ErasedStore make_edge_node_store(storage::sql::Connection& connection);
storage::ErasedStore make_buffer_store(storage::sql::Connection& connection);
storage::ErasedStore make_edge_service_store(storage::sql::Connection& connection);
storage::ErasedStore make_enrollment_token_store(storage::sql::Connection& connection);
storage::ErasedStore make_agent_certificate_store(storage::sql::Connection& connection);
storage::ErasedStore make_command_store(storage::sql::Connection& connection);
storage::ErasedStore make_desired_store(storage::sql::Connection& connection);
storage::ErasedStore make_restore_store(storage::sql::Connection& connection);

}  // namespace ecp::inline v0::fleet::sql_stores
