// SPDX-License-Identifier: Apache-2.0
#include <malloc.h>

#include <csignal>
#include <span>
#include <string_view>

#include "program.hpp"

extern char** environ;

namespace {

/// Variables that may override a key; nothing else of the environment is looked at.
ecp::EnvironmentVariables environment() {
  ecp::EnvironmentVariables found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (!text.starts_with("ECP_EDGE_") || equals == std::string_view::npos) continue;
    found.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

sigset_t ending() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

void run_until_signal() {
  const auto signals = ending();
  int number = 0;
  sigwait(&signals, &number);
}

}  // namespace

int main(int argc, char** argv) {
  // Gateways are small: one heap for all threads, and freed memory goes back at once.
  mallopt(M_ARENA_MAX, 1);
  mallopt(M_TRIM_THRESHOLD, 64 * 1024);
  // Blocked before any thread exists, so that only run_until_signal takes them.
  const auto signals = ending();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  return ecp_edge::run({argv + 1, static_cast<std::size_t>(argc - 1)}, environment(),
                       run_until_signal);
}
