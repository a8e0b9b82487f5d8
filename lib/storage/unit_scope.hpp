// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Marks the time in which a thread runs a unit, so that nested units are noticed.

namespace ecp::inline v0::storage {

/// While one lives, its thread is inside a unit (or in what a unit wakes after its commit).
class UnitScope {
 public:
  UnitScope() noexcept : outer_(active_) { active_ = true; }
  ~UnitScope() { active_ = outer_; }
  UnitScope(const UnitScope&) = delete;
  UnitScope& operator=(const UnitScope&) = delete;

  [[nodiscard]] static bool active() noexcept { return active_; }

 private:
  static inline thread_local bool active_ = false;
  bool outer_;
};

}  // namespace ecp::inline v0::storage
