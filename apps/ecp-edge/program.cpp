// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <unistd.h>

#include <array>
#include <cstdio>
#include <string_view>

#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp_edge {

using ecp::EnvironmentVariables;
using ecp::Error;
using ecp::Result;
using ecp::Secret;
using ecp::agent::Settings;

namespace {

constexpr const char* usage =
    "usage: ecp-edge enroll [--config FILE] --url https://HOST:PORT --token-file FILE|- --name "
    "NAME\n"
    "       ecp-edge run|status [--config FILE]\n"
    "       ecp-edge probe tcp://HOST:502 [--range 400001-400010] [--units 1-247]\n"
    "                [--timeout 300ms] [--delay 0ms] [--yaml FILE|-]\n"
    "       ecp-edge --version\n"
    "FILE is /etc/ecp/ecp-edge.yaml unless given. Variables ECP_EDGE_... override its keys.\n";

constexpr std::size_t longest_token = 1'024;

Error wrong_usage(std::string problem) {
  return Error(ecp::reasons::bad_field, {{"field", "arguments"}, {"problem", std::move(problem)}});
}

Result<Command::Verb> verb_of(std::string_view word) {
  using Verb = Command::Verb;
  if (word == "enroll") return Verb::enroll;
  if (word == "run") return Verb::run;
  if (word == "status") return Verb::status;
  if (word == "probe") return Verb::probe;
  if (word == "version" || word == "--version") return Verb::version;
  if (word == "help" || word == "--help" || word == "-h") return Verb::help;
  return wrong_usage("name no command of this program");
}

/// Where the value of an option goes; null for a word that is no option of the command.
std::string* place_of(std::string_view option, Command& command) {
  if (command.verb == Command::Verb::probe) {
    if (option == "--range") return &command.probe.range;
    if (option == "--units") return &command.probe.units;
    if (option == "--timeout") return &command.probe.timeout;
    if (option == "--delay") return &command.probe.delay;
    if (option == "--yaml") return &command.yaml_path;
    return nullptr;
  }
  if (option == "--config") return &command.config_path;
  if (command.verb != Command::Verb::enroll) return nullptr;
  if (option == "--url") return &command.url;
  if (option == "--token-file") return &command.token_path;
  if (option == "--name") return &command.name;
  return nullptr;
}

int fail(const Error& error) {
  std::fprintf(stderr, "ecp-edge: %s\n", error.describe().c_str());
  return 1;
}

Result<Secret> read_token(const std::string& path) {
  if (path != "-") return ecp::read_secret_file(path, longest_token);
  std::array<char, longest_token> line{};
  const char* const got = std::fgets(line.data(), static_cast<int>(line.size()), stdin);
  if (got == nullptr) return wrong_usage("need a token on standard input");
  std::string_view text(line.data());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  Secret token(text);
  explicit_bzero(line.data(), line.size());
  return token;
}

Result<void> enroll(const Command& command, const Settings& settings, ecp::LogSink& log) {
  ECP_TRY(const auto token, read_token(command.token_path));
  ECP_TRY(const auto node,
          ecp::agent::enroll_folder(settings, command.url, command.name, token, log));
  std::printf("enrolled as %s; now run: ecp-edge run --config %s\n", node.c_str(),
              command.config_path.c_str());
  return {};
}

Result<void> tell_status(const Settings& settings, ecp::LogSink& log) {
  ECP_TRY(const auto status, ecp::agent::read_status(settings.data_folder, log));
  const char* const linked = !status.linked ? "unknown" : *status.linked ? "yes" : "no";
  const auto number = [](std::int64_t value) { return static_cast<long long>(value); };
  std::printf("node: %s\nlinked: %s\n", status.node.c_str(), linked);
  std::printf("buffered: %lld samples\ncommitted: %lld samples\ndropped: %lld samples\n",
              number(status.buffered), number(status.committed), number(status.dropped));
  std::printf("generation: %lld.%lld\n", number(status.epoch), number(status.generation));
  return {};
}

/// The table goes to standard output unless the YAML does.
Result<void> probe(const Command& command) {
  const auto tell = [](std::string_view line) {
    std::fprintf(stderr, "%.*s\n", static_cast<int>(line.size()), line.data());
  };
  ECP_TRY(const auto answer, ecp::agent::probe_device(command.probe, tell));
  const bool is_yaml_out = command.yaml_path == "-";
  std::fputs(answer.table.c_str(), is_yaml_out ? stderr : stdout);
  if (is_yaml_out) std::fputs(answer.yaml.c_str(), stdout);
  if (command.yaml_path.empty() || is_yaml_out) return {};
  return ecp::write_file_durably(command.yaml_path, answer.yaml, 0644);
}

Result<void> obey(const Command& command, const EnvironmentVariables& environment,
                  const std::function<void()>& wait_for_signal) {
  if (command.verb == Command::Verb::probe) return probe(command);
  ECP_TRY(auto config,
          ecp::Config::load(command.config_path, ecp::agent::environment_prefix, environment));
  ECP_TRY(const auto settings, ecp::agent::read_settings(config));
  ecp::StreamLog log(STDERR_FILENO, settings.log_level, ecp::system_clock());
  switch (command.verb) {
    case Command::Verb::enroll:
      return enroll(command, settings, log);
    case Command::Verb::run:
      return ecp::agent::run_agent(settings, log, wait_for_signal);
    case Command::Verb::status:
      return tell_status(settings, log);
    case Command::Verb::help:
    case Command::Verb::version:
    case Command::Verb::probe:
      break;
  }
  return {};
}

}  // namespace

Result<Command> parse_command(std::span<const char* const> arguments) {
  Command command;
  if (arguments.empty()) return wrong_usage("name no command");
  ECP_TRY(command.verb, verb_of(arguments[0]));
  std::size_t first = 1;
  if (command.verb == Command::Verb::probe) {
    if (arguments.size() < 2) return wrong_usage("need tcp://HOST:502 after probe");
    command.probe.target = arguments[first++];
  }
  for (std::size_t i = first; i < arguments.size(); i += 2) {
    const std::string option(arguments[i]);
    auto* const place = place_of(option, command);
    if (place == nullptr) return wrong_usage("hold " + option + ", which is not known here");
    if (i + 1 == arguments.size()) return wrong_usage("need a value after " + option);
    *place = arguments[i + 1];
  }
  if (command.verb != Command::Verb::enroll) return command;
  if (command.url.empty() || command.token_path.empty() || command.name.empty()) {
    return wrong_usage("need --url, --token-file and --name");
  }
  return command;
}

int run(std::span<const char* const> arguments, const EnvironmentVariables& environment,
        const std::function<void()>& wait_for_signal) {
  const auto command = parse_command(arguments);
  if (!command || command->verb == Command::Verb::help) {
    if (!command) fail(command.error());
    std::fputs(usage, command ? stdout : stderr);
    return command ? 0 : 2;
  }
  if (command->verb == Command::Verb::version) {
    std::puts("ecp-edge " ECP_VERSION);
    return 0;
  }
  const auto outcome = obey(*command, environment, wait_for_signal);
  return outcome ? 0 : fail(outcome.error());
}

}  // namespace ecp_edge
