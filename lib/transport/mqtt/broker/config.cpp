// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/broker/config.hpp"

#include <netdb.h>
#include <pwd.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <memory>

#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/transport/reasons.hpp>

namespace ecp::inline v0::transport::broker {

namespace {

constexpr std::size_t max_plugin_size = 64 * mebibyte;

Error bad_option(std::string option, std::string problem) {
  return {reasons::bad_options, {{"option", std::move(option)}, {"problem", std::move(problem)}}};
}

/// A value ends with its line, so that a line end in it would begin a setting.
Result<void> check_value(const char* option, const std::string& value) {
  const bool clean = !value.empty() && std::none_of(value.begin(), value.end(), [](char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
  });
  if (!clean || value.front() == ' ' || value.back() == ' ') {
    return bad_option(option, "is empty or has characters that a path cannot have here");
  }
  return {};
}

Result<void> check_program(const std::string& path, const char* package, int mode) {
  if (::access(path.c_str(), mode) == 0) return {};
  return Error(reasons::no_broker_program, {{"path", path}, {"package", package}});
}

/// Who we run as: mosquitto started by root would else drop to its own user, who cannot read our
/// keys.
std::string user_name() {
  std::array<char, 4'096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  ::getpwuid_r(::geteuid(), &entry, buffer.data(), buffer.size(), &found);
  return found == nullptr ? std::string() : std::string(found->pw_name);
}

/// What all brokers of the agent link have in common.
Result<std::string> common_settings(const BrokerOptions& options) {
  ECP_TRY_VOID(check_value("bind", options.bind));
  ECP_TRY_VOID(check_value("plugin_path", options.plugin_path));
  ECP_TRY_VOID(check_value("roots_path", options.roots_path));
  ECP_TRY_VOID(check_value("certificate_path", options.certificate_path));
  ECP_TRY_VOID(check_value("key_path", options.key_path));
  std::string text =
      "persistence false\n"
      "log_dest stderr\n"
      "log_type error\n"
      "log_type warning\n"
      "log_type notice\n"
      "log_type information\n"
      "connection_messages true\n"
      "sys_interval 0\n"
      "allow_anonymous false\n"
      "max_inflight_messages 1000\n"
      // Bounded by octets alone. Not 0: then mosquitto 2.0.11 ends the session of a client right
      // after the PUBACK that refuses a message.
      "max_queued_messages 1000000\n"
      "set_tcp_nodelay true\n";
  text += "max_packet_size " + std::to_string(limits::mqtt_packet) + "\n";
  text += "max_queued_bytes " + std::to_string(64 * mebibyte) + "\n";
  text += "plugin " + options.plugin_path + "\n";
  return text;
}

/// Where it listens, and to whom; stands last.
std::string listener_settings(const BrokerOptions& options) {
  return "listener " + std::to_string(options.port) + " " + options.bind + "\n" +  //
         "cafile " + options.roots_path + "\n" +                                   //
         "certfile " + options.certificate_path + "\n" +                           //
         "keyfile " + options.key_path + "\n" +
         "tls_version tlsv1.2\n"  // Means that version or newer.
         "require_certificate true\n"
         "use_identity_as_username true\n"
         "use_username_as_clientid true\n";
}

}  // namespace

Result<std::string> make_config(const BrokerOptions& options) {
  ECP_TRY_VOID(check_value("folder", options.folder));
  ECP_TRY(const auto common, common_settings(options));
  ECP_TRY_VOID(check_program(options.mosquitto_path, "mosquitto", X_OK));
  ECP_TRY_VOID(check_program(options.plugin_path, "ecp", R_OK));
  const auto user = user_name();
  std::string text = "# Written at each start; changes are lost.\n";
  if (!user.empty()) text += "user " + user + "\n";
  return text + common + "plugin_opt_deny_file " + deny_path(options.folder) + "\n" +
         listener_settings(options);
}

Result<std::string> fingerprint(const BrokerOptions& options, const std::string& config) {
  std::string all = config;
  ECP_TRY(const auto plugin, read_file(options.plugin_path, max_plugin_size));
  ECP_TRY(const auto roots, read_file(options.roots_path, mebibyte));
  ECP_TRY(const auto certificate, read_file(options.certificate_path, mebibyte));
  for (const auto& part : {plugin, roots, certificate}) all += to_hex(sha256(part));
  return to_hex(sha256(all));
}

Result<void> check_port(const BrokerOptions& options) {
  addrinfo hints{};
  hints.ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV;
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  const auto port = std::to_string(options.port);
  if (::getaddrinfo(options.bind.c_str(), port.c_str(), &hints, &found) != 0) {
    return bad_option("bind", "is not an address");
  }
  const std::unique_ptr<addrinfo, void (*)(addrinfo*)> address(found, ::freeaddrinfo);
  const int descriptor = ::socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (descriptor < 0) return {};
  const int on = 1;
  ::setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  const int code = ::bind(descriptor, address->ai_addr, address->ai_addrlen);
  const bool taken = code != 0 && errno == EADDRINUSE;
  ::close(descriptor);
  if (taken) return Error(reasons::port_taken, {{"address", options.bind + ":" + port}});
  return {};
}

}  // namespace ecp::inline v0::transport::broker

namespace ecp::inline v0::transport {

Result<std::string> mosquitto_config(const BrokerOptions& options) {
  ECP_TRY(const auto common, broker::common_settings(options));
  return common + broker::listener_settings(options);
}

}  // namespace ecp::inline v0::transport
