// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What both programs take from the operating system before they call the library: environment and
/// signals. The library itself touches neither.

#include <csignal>
#include <string_view>

#include <ecp/core/config.hpp>

extern char** environ;

namespace process {

/// Variables that may override a key, those that begin with `prefix`; the rest is not looked at.
inline ecp::EnvironmentVariables environment(std::string_view prefix) {
  ecp::EnvironmentVariables found;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string_view text(*entry);
    const auto equals = text.find('=');
    if (!text.starts_with(prefix) || equals == std::string_view::npos) continue;
    found.emplace(text.substr(0, equals), text.substr(equals + 1));
  }
  return found;
}

inline sigset_t ending_signals() {
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  return signals;
}

/// Block the signals that end a program. Call it before any thread exists, so that only
/// `run_until_signal` takes them; a lost peer is an error to handle, never a signal.
inline void hold_signals() {
  const auto signals = ending_signals();
  pthread_sigmask(SIG_BLOCK, &signals, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
}

inline void run_until_signal() {
  const auto signals = ending_signals();
  int number = 0;
  sigwait(&signals, &number);
}

}  // namespace process
