// SPDX-License-Identifier: Apache-2.0
#include "program.hpp"

#include <termios.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <map>

#include <ecp/core/env.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/server/errands.hpp>
#include <ecp/server/server.hpp>
#include <ecp/server/settings.hpp>

namespace ecpd {

using ecp::EnvironmentVariables;
using ecp::Error;
using ecp::Result;
using ecp::Secret;
using ecp::server::Settings;

namespace {

constexpr const char* usage =
    "usage: ecpd serve|check-config [--config FILE]\n"
    "       ecpd audit verify [--config FILE]\n"
    "       ecpd user login-link|reset-password [--config FILE] EMAIL\n"
    "       ecpd broker-config [--config FILE] --out FOLDER [--plugin FILE]\n"
    "       ecpd --version\n"
    "FILE is /etc/ecp/ecpd.yaml unless given. Variables ECPD_... override its keys.\n";

constexpr const char* master_key_variable = "ECPD_MASTER_KEY";
constexpr const char* emqx_key_variable = "ECPD_EMQX_KEY";

Error wrong_usage(std::string problem) {
  return Error(ecp::reasons::bad_field, {{"field", "arguments"}, {"problem", std::move(problem)}});
}

Result<Command::Verb> verb_of(std::string_view first, std::string_view second) {
  using Verb = Command::Verb;
  if (first == "serve") return Verb::serve;
  if (first == "check-config") return Verb::check_config;
  if (first == "broker-config") return Verb::broker_config;
  if (first == "audit" && second == "verify") return Verb::audit_verify;
  if (first == "user" && second == "reset-password") return Verb::reset_password;
  if (first == "user" && second == "login-link") return Verb::login_link;
  if (first == "version" || first == "--version") return Verb::version;
  if (first == "help" || first == "--help" || first == "-h") return Verb::help;
  return wrong_usage("name no command of this program");
}

void print(const std::string& line) { std::fprintf(stdout, "%s\n", line.c_str()); }

int fail(const Error& error) {
  std::fprintf(stderr, "ecpd: %s\n", error.describe().c_str());
  return 1;
}

/// What one call works with: settings, and the key when it comes from the environment.
struct Call {
  Settings settings;
  std::optional<Secret> master_key;
  std::optional<Secret> emqx_key;
};

/// Take a secret out of the environment. It is no setting: it must show neither in a file nor in an
/// error about one.
std::optional<Secret> take_secret(EnvironmentVariables& environment, const char* name) {
  const auto found = environment.find(name);
  if (found == environment.end()) return std::nullopt;
  Secret secret(found->second);
  environment.erase(found);
  return secret;
}

Result<Call> prepare(const Command& command, EnvironmentVariables environment) {
  Call call;
  call.master_key = take_secret(environment, master_key_variable);
  call.emqx_key = take_secret(environment, emqx_key_variable);
  ECP_TRY(auto config,
          ecp::Config::load(command.config_path, ecp::server::environment_prefix, environment));
  ECP_TRY(call.settings, ecp::server::read_settings(config));
  return call;
}

/// Tell where the first admin's secret is, and the secret itself only to a person at a terminal.
void announce(const Settings& settings, ecp::plane::ControlPlane& plane) {
  print("ecpd serves " + ecp::server::page_url(settings) + ", root certificate " +
        plane.root_path());
  const auto path = plane.bootstrap_secret_path();
  if (!path.empty()) {
    print("no administrator yet: the one-time secret for the first one is in " + path);
    if (::isatty(STDOUT_FILENO) == 1) {
      const auto secret = ecp::read_secret_file(path, ecp::limits::password_max);
      if (secret) print("  " + std::string(secret->view()));
    }
  }
  std::fflush(stdout);
}

Result<void> serve(Call call, const std::function<void()>& wait_for_signal) {
  ecp::StreamLog log(STDERR_FILENO, call.settings.log_level, ecp::system_clock());
  ecp::RealEnv world(log, call.settings.workers);
  ecp::plane::Parts parts;
  parts.master_key = std::move(call.master_key);
  parts.emqx_key = std::move(call.emqx_key);
  ECP_TRY(auto server, ecp::server::Server::open(call.settings, std::move(parts), world.env()));
  announce(call.settings, server->plane());
  wait_for_signal();
  server->stop();
  world.stop();
  return {};
}

/// Read one line without showing it when it is typed at a terminal.
Result<Secret> ask_password() {
  const bool terminal = ::isatty(STDIN_FILENO) == 1;
  termios before{};
  if (terminal) {
    std::fputs("new password: ", stderr);
    ::tcgetattr(STDIN_FILENO, &before);
    termios silent = before;
    silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
  }
  std::array<char, ecp::limits::password_max * 4 + 2> line{};
  const char* const got = std::fgets(line.data(), static_cast<int>(line.size()), stdin);
  if (terminal) {
    ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
    std::fputc('\n', stderr);
  }
  if (got == nullptr) return wrong_usage("need a password on standard input");
  std::string_view text(line.data());
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.remove_suffix(1);
  Secret password(text);
  line.fill('\0');
  return password;
}

Result<int> errand(const Command& command, const Call& call) {
  ecp::StreamLog log(STDERR_FILENO, ecp::LogLevel::warning, ecp::system_clock());
  ecp::RealEnv world(log, 1);
  const auto& settings = call.settings;
  const auto& key = call.master_key;
  if (command.verb == Command::Verb::audit_verify) {
    ECP_TRY(const auto verdict, ecp::server::verify_audit(settings, key, world.env()));
    print(verdict.summary);
    return verdict.whole ? 0 : 1;
  }
  if (command.verb == Command::Verb::login_link) {
    ECP_TRY(const auto url, ecp::server::make_login_link(settings, command.email, world.env()));
    print(url);
    return 0;
  }
  if (command.verb == Command::Verb::broker_config) {
    ECP_TRY(const auto told, ecp::server::write_broker_files(settings, key, command.folder,
                                                             command.plugin_path, world.env()));
    print(told);
    return 0;
  }
  ECP_TRY(const auto password, ask_password());
  ECP_TRY_VOID(ecp::server::reset_password(settings, command.email, password, world.env()));
  print("the password is set; all sessions of " + command.email + " have ended");
  return 0;
}

Result<int> obey(const Command& command, const EnvironmentVariables& environment,
                 const std::function<void()>& wait_for_signal) {
  ECP_TRY(auto call, prepare(command, environment));
  if (command.verb == Command::Verb::check_config) {
    print(command.config_path + " is good");
    return 0;
  }
  if (command.verb == Command::Verb::serve) {
    ECP_TRY_VOID(serve(std::move(call), wait_for_signal));
    return 0;
  }
  return errand(command, call);
}

}  // namespace

Result<Command> parse_command(std::span<const char* const> arguments) {
  Command command;
  std::vector<std::string_view> words;
  const std::map<std::string_view, std::string*> options{{"--config", &command.config_path},
                                                         {"--out", &command.folder},
                                                         {"--plugin", &command.plugin_path}};
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    const std::string_view word(arguments[i]);
    const auto option = options.find(word);
    if (option == options.end()) {
      words.push_back(word);
    } else if (++i < arguments.size()) {
      *option->second = arguments[i];
    } else {
      return wrong_usage("need a value after " + std::string(word));
    }
  }
  if (words.empty()) return wrong_usage("name no command");
  ECP_TRY(command.verb, verb_of(words[0], words.size() > 1 ? words[1] : std::string_view()));
  std::size_t used = words[0] == "audit" || words[0] == "user" ? 2 : 1;
  if (words[0] == "user") {
    if (words.size() < 3) return wrong_usage("need the user's e-mail address");
    command.email = words[2];
    used = 3;
  }
  if (words.size() > used) return wrong_usage("have one word too many");
  const bool writes_files = command.verb == Command::Verb::broker_config;
  if (writes_files && command.folder.empty()) return wrong_usage("need --out and a folder");
  if (!writes_files && !(command.folder + command.plugin_path).empty()) {
    return wrong_usage("have --out or --plugin, which only broker-config takes");
  }
  if (command.plugin_path.empty()) command.plugin_path = ecp::plane::default_plugin_path;
  return command;
}

int run(std::span<const char* const> arguments, const EnvironmentVariables& environment,
        const std::function<void()>& wait_for_signal) {
  const auto command = parse_command(arguments);
  if (!command || command->verb == Command::Verb::help) {
    std::fputs(usage, command ? stdout : stderr);
    return command ? 0 : 2;
  }
  if (command->verb == Command::Verb::version) {
    print("ecpd " ECP_VERSION);
    return 0;
  }
  const auto code = obey(*command, environment, wait_for_signal);
  return code ? *code : fail(code.error());
}

}  // namespace ecpd
