// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Leases: which replica may do a piece of recurring work now.

#include <cstdint>
#include <optional>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp::inline v0::storage {

/// Rises with every change of holder; a write made under a lease names it.
enum class Fence : std::int64_t {};

/// Named leases in the database, by the database's clock.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT LeaseStore {
 public:
  static constexpr std::string_view store_name = "storage.leases";
  virtual ~LeaseStore();
  /// Take a free or expired lease, or extend one's own; none when another holds it. The fence
  /// changes only when the holder does.
  virtual Result<std::optional<Fence>> acquire(std::string_view name, std::string_view holder,
                                               Milliseconds duration) = 0;
  /// Fails with `conflict` (storage.lease_lost) unless the fence is the current one.
  virtual Result<void> check(std::string_view name, Fence fence) = 0;
  /// Give up one's own lease, so that the next need not wait.
  virtual Result<void> release(std::string_view name, std::string_view holder) = 0;
};

/// The module that every store opened by this library has: leases and migration counts.
[[nodiscard]] ECP_EXPORT const StoreModule& storage_module();

}  // namespace ecp::inline v0::storage
