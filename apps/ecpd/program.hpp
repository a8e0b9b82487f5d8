// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The program ecpd, but for main: its commands, what they print and their exit codes.

#include <functional>
#include <span>
#include <string>

#include <ecp/core/config.hpp>
#include <ecp/core/result.hpp>

namespace ecpd {

/// One call of the program.
struct Command {
  enum class Verb {
    help,
    version,
    serve,
    check_config,
    audit_verify,
    reset_password,
    login_link,
    broker_config
  };
  Verb verb = Verb::help;
  std::string config_path = "/etc/ecp/ecpd.yaml";
  std::string email;
  std::string folder;       ///< Of broker_config.
  std::string plugin_path;  ///< Where mosquitto finds our plugin.
};

/// Read the arguments after the program's name. Fails with `invalid_argument`.
[[nodiscard]] ecp::Result<Command> parse_command(std::span<const char* const> arguments);

/// Run one call; return the exit code: 0 done, 1 failed, 2 wrong usage. Prints to standard output
/// and error. `wait_for_signal` returns when the program shall end; only `serve` calls it.
[[nodiscard]] int run(std::span<const char* const> arguments,
                      const ecp::EnvironmentVariables& environment,
                      const std::function<void()>& wait_for_signal);

}  // namespace ecpd
