// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Keeps two agents out of one data folder.

#include <string>

#include <ecp/core/result.hpp>

namespace ecp::inline v0::agent {

/// Held as long as the object lives; the system lets go of it when the program dies.
class FolderLock {
 public:
  /// Fails with `failed_precondition` (agent.folder_in_use).
  [[nodiscard]] static Result<FolderLock> take(const std::string& folder);
  /// True while somebody holds it. Looking disturbs nobody who is about to take it.
  [[nodiscard]] static bool is_held(const std::string& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept;
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  explicit FolderLock(int descriptor) : descriptor_(descriptor) {}
  int descriptor_;
};

}  // namespace ecp::inline v0::agent
