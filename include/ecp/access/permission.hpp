// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Permissions as interned names with a dense index, and sets of them.

#include <bitset>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::access {

/// How wide a right is looked at: on the platform, in an organization, in a project.
enum class ScopeLevel : std::uint8_t { platform, organization, project };

/// A right as code names it: a constant with static storage, such as
/// permissions::edge_service_edit.
struct Permission {
  std::string_view name;  ///< "edge_service.edit"; an OEM's is "vendor.noun.verb".
  ScopeLevel level;       ///< The narrowest scope in which it means something.
  std::string_view text;  ///< One sentence for people.
};

inline constexpr std::size_t max_permissions = 256;
/// Dense index of a permission in one program.
enum class PermissionIndex : std::uint16_t {};
using PermissionSet = std::bitset<max_permissions>;

/// All permissions of a program; filled at composition, then read-only.
///
/// Thread safety: `add` before any other thread exists; the rest any thread.
class ECP_EXPORT PermissionRegistry {
 public:
  PermissionRegistry();  ///< Holds the product's own, permissions::all.
  /// Register a module's permissions. A name used twice is a broken invariant (assert).
  void add(std::span<const Permission* const> permissions);
  /// Index of a registered permission (assert).
  [[nodiscard]] PermissionIndex index(const Permission& permission) const;
  [[nodiscard]] const Permission* find(std::string_view name) const noexcept;
  [[nodiscard]] const std::vector<const Permission*>& all() const noexcept { return permissions_; }

 private:
  std::vector<const Permission*> permissions_;
};

}  // namespace ecp::inline v0::access
