// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The program ecp-edge, but for main: its commands, what they print and their exit codes.

#include <functional>
#include <span>
#include <string>

#include <ecp/agent/probe.hpp>
#include <ecp/agent/program.hpp>
#include <ecp/core/config.hpp>
#include <ecp/core/result.hpp>

namespace ecp_edge {

/// One call of the program.
struct Command {
  enum class Verb { help, version, enroll, run, status, probe };
  Verb verb = Verb::help;
  std::string config_path = "/etc/ecp/ecp-edge.yaml";
  std::string url;         ///< Of enroll, as the next two.
  std::string token_path;  ///< "-" is standard input.
  std::string name;
  ecp::agent::ProbeRequest probe;
  std::string yaml_path;  ///< Of probe: "-" is standard output, empty none.
};

/// Read the arguments after the program's name. Fails with `invalid_argument`.
[[nodiscard]] ecp::Result<Command> parse_command(std::span<const char* const> arguments);

/// Run one call; return the exit code: 0 done, 1 failed, 2 wrong usage. Prints to standard output
/// and error. `wait_for_signal` returns when the program shall end; only the verb run calls it.
[[nodiscard]] int run(std::span<const char* const> arguments,
                      const ecp::EnvironmentVariables& environment,
                      const std::function<void()>& wait_for_signal);

}  // namespace ecp_edge
