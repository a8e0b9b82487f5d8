// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// When the database was found to be older than the agents.

#include <optional>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::fleet {

/// Durable record of restores that agents have proven.
class ECP_EXPORT RestoreStore {
 public:
  static constexpr std::string_view store_name = "fleet.restores";
  virtual ~RestoreStore();
  /// When the newest was found.
  virtual Result<std::optional<Time>> latest() = 0;
  virtual Result<void> insert(Time found_at) = 0;

 protected:
  RestoreStore() = default;
};

}  // namespace ecp::inline v0::fleet
