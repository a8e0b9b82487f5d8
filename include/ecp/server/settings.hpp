// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What ecpd reads from its configuration file; docs/configuration.md has every key.

#include <cstdint>
#include <string>

#include <ecp/core/config.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/log.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/plane/control_plane.hpp>

namespace ecp::inline v0::server {

/// Prefix of environment variables that override keys: ECPD_HTTP_LISTEN.
inline constexpr std::string_view environment_prefix = "ECPD";

struct Settings {
  plane::PlaneConfig plane;
  std::string http_address = "127.0.0.1";
  std::uint16_t http_port = 8443;
  bool tls = true;
  std::string page_folder;  ///< Built live page; empty: none is served.
  LogLevel log_level = LogLevel::info;
  unsigned workers = 4;
};

/// Read and check everything. Errors name file, line and key.
[[nodiscard]] ECP_EXPORT Result<Settings> read_settings(Config& config);

/// "host:port" or "[v6]:port" split. Fails with `invalid_argument`.
struct HostPort {
  std::string host;
  std::uint16_t port = 0;
};
[[nodiscard]] ECP_EXPORT Result<HostPort> parse_host_port(std::string_view text);

/// True for 127.0.0.0/8, ::1 and localhost.
[[nodiscard]] ECP_EXPORT bool is_loopback(std::string_view host) noexcept;

}  // namespace ecp::inline v0::server
