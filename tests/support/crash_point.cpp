// SPDX-License-Identifier: Apache-2.0
/// Crash points of the programs that tests/e2e/test_crash_points.py kills.
///
/// ECP_CRASH_AT="point:n" lets the process die at the n-th pass of the point; each point's first
/// pass adds a line to the file ECP_CRASH_LOG.
#include "core/crash_point.hpp"

#include <fcntl.h>
#include <unistd.h>
#include <csignal>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>

namespace ecp::inline v0 {
namespace {

std::string setting(const char* name) {
  const char* value = std::getenv(name);
  return value == nullptr ? "" : value;
}

void note(const std::string& point) {
  static const auto path = setting("ECP_CRASH_LOG");
  const int file = ::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0600);
  if (file < 0) return;
  const auto line = point + "\n";
  if (::write(file, line.data(), line.size()) < 0) std::abort();
  ::close(file);
}

}  // namespace

void crash_at(const char* point) noexcept {
  static std::mutex mutex;
  static std::map<std::string, int> passes;
  static const auto wanted = setting("ECP_CRASH_AT");
  const std::lock_guard lock(mutex);
  const int pass = ++passes[point];
  if (pass == 1) note(point);
  if (wanted == point + (":" + std::to_string(pass))) ::kill(::getpid(), SIGKILL);
}

}  // namespace ecp::inline v0
