// SPDX-License-Identifier: Apache-2.0
#include "agent/folder_lock.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <system_error>
#include <utility>

#include <ecp/agent/reasons.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::agent {
namespace {

std::string path_of(const std::string& folder) { return folder + "/agent.lock"; }

/// A lock of the open file, not of the process, on the whole of it.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

}  // namespace

Result<FolderLock> FolderLock::take(const std::string& folder) {
  const auto path = path_of(folder);
  const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
  if (descriptor < 0) {
    return Error(ecp::reasons::io, {{"path", path},
                                    {"action", "opened"},
                                    {"problem", std::generic_category().message(errno)}});
  }
  FolderLock taken(descriptor);
  auto lock = whole_file();
  if (::fcntl(descriptor, F_OFD_SETLK, &lock) != 0) {
    return Error(reasons::folder_in_use, {{"folder", folder}});
  }
  return taken;
}

bool FolderLock::is_held(const std::string& folder) {
  const int descriptor = ::open(path_of(folder).c_str(), O_RDWR | O_CLOEXEC);
  if (descriptor < 0) return false;
  auto lock = whole_file();
  const bool told = ::fcntl(descriptor, F_OFD_GETLK, &lock) == 0;
  ::close(descriptor);
  return told && lock.l_type != F_UNLCK;
}

FolderLock::~FolderLock() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

FolderLock::FolderLock(FolderLock&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)) {}

}  // namespace ecp::inline v0::agent
