// SPDX-License-Identifier: Apache-2.0
#include "agent/host.hpp"

#include <sys/statvfs.h>

#include <fstream>

namespace ecp::inline v0::agent {

link::Heartbeat::Host measure_host(const std::string& folder) {
  link::Heartbeat::Host host;
  std::ifstream("/proc/loadavg") >> host.load_1m;
  std::ifstream memory("/proc/meminfo");
  std::string name;
  std::int64_t kibibytes = 0;
  std::string unit;
  while (memory >> name >> kibibytes >> unit) {
    if (name == "MemTotal:") host.memory_total = kibibytes * 1024;
    if (name == "MemAvailable:") {
      host.memory_available = kibibytes * 1024;
      break;
    }
  }
  struct statvfs disk {};
  if (!folder.empty() && ::statvfs(folder.c_str(), &disk) == 0) {
    host.disk_free =
        static_cast<std::int64_t>(disk.f_bavail) * static_cast<std::int64_t>(disk.f_frsize);
  }
  return host;
}

}  // namespace ecp::inline v0::agent
