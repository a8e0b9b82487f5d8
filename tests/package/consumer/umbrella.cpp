// SPDX-License-Identifier: Apache-2.0
// Linked with ecp::ecp alone: both halves are there, each refuses an empty configuration.
#include <unistd.h>
#include <cstdio>

#include <ecp/agent/program.hpp>
#include <ecp/core/log.hpp>
#include <ecp/core/time.hpp>
#include <ecp/server/settings.hpp>

int main() {
  ecp::StreamLog log(STDERR_FILENO, ecp::LogLevel::error, ecp::system_clock());
  const auto node = ecp::agent::read_status("/nonexistent", log);
  const auto place = ecp::server::parse_host_port("[::1]:8443");
  const bool fine = !node && place && place->host == "::1" && place->port == 8443;
  std::puts(fine ? "both halves" : "a half is missing");
  return fine ? 0 : 1;
}
