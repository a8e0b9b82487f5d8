// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Makers of the fleet's stores, and what they share.

#include <string>
#include <string_view>

#include <ecp/core/error.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/storage/transaction.hpp>

#include "storage/sql/rows.hpp"

namespace ecp::inline v0::fleet::sql_stores {

using storage::sql::all_rows;
using storage::sql::Connection;
using storage::sql::first_row;
using storage::sql::id_at;
using storage::sql::name_key;
using storage::sql::number_of;
using storage::sql::optional_time_at;
using storage::sql::Statement;
using storage::sql::time_at;

[[nodiscard]] inline Error damaged(std::string_view noun) {
  return {ecp::reasons::damaged, {{"noun", std::string(noun)}}};
}
[[nodiscard]] inline Error not_found(std::string_view noun) {
  return {ecp::reasons::not_found, {{"noun", std::string(noun)}}};
}
[[nodiscard]] inline Error stale(std::string_view noun) {
  return {ecp::reasons::stale_revision, {{"noun", std::string(noun)}}};
}
[[nodiscard]] inline Error name_taken(std::string_view noun) {
  return {ecp::reasons::name_taken, {{"noun", std::string(noun)}, {"field", "name"}}};
}

/// Pattern for LIKE ... ESCAPE '!' that finds a part of a name key.
[[nodiscard]] std::string contains_pattern(std::string_view part);

storage::ErasedStore make_edge_node_store(storage::sql::Connection& connection);
storage::ErasedStore make_buffer_store(storage::sql::Connection& connection);
storage::ErasedStore make_edge_service_store(storage::sql::Connection& connection);
storage::ErasedStore make_enrollment_token_store(storage::sql::Connection& connection);
storage::ErasedStore make_agent_certificate_store(storage::sql::Connection& connection);
storage::ErasedStore make_command_store(storage::sql::Connection& connection);
storage::ErasedStore make_desired_store(storage::sql::Connection& connection);
storage::ErasedStore make_restore_store(storage::sql::Connection& connection);

}  // namespace ecp::inline v0::fleet::sql_stores
