// SPDX-License-Identifier: Apache-2.0
#include "plane/folder_lock.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>
#include <cerrno>
#include <cstring>
#include <utility>

#include <ecp/core/reasons.hpp>
#include <ecp/plane/reasons.hpp>

namespace ecp::inline v0::plane {

Result<FolderLock> FolderLock::take(const std::string& folder) {
  const auto path = folder + "/ecpd.lock";
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Error(ecp::reasons::io,
                 {{"path", path}, {"action", "opened"}, {"problem", std::strerror(errno)}});
  }
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    ::close(descriptor);
    return Error(reasons::folder_in_use, {{"path", folder}});
  }
  return FolderLock(descriptor);
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace ecp::inline v0::plane
