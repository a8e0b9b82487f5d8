// SPDX-License-Identifier: Apache-2.0
#include <ecp/agent/program.hpp>

namespace ecp::inline v0::agent {
namespace {

constexpr Milliseconds longest_interval{60'000};
constexpr std::int64_t largest_buffer = 1'048'576;  // MiB.

Result<LogLevel> log_level(Config& config) {
  ECP_TRY(const auto text, config.text_or("log.level", "info"));
  for (const auto level : {LogLevel::debug, LogLevel::info, LogLevel::warning, LogLevel::error}) {
    if (text == to_string(level)) return level;
  }
  return config.bad("log.level", "must be debug, info, warning or error");
}

}  // namespace

Result<Settings> read_settings(Config& config) {
  Settings settings;
  ECP_TRY(settings.data_folder, config.text("data_folder"));
  if (!settings.data_folder.starts_with('/')) {
    return config.bad("data_folder", "must be an absolute path");
  }
  ECP_TRY(const auto writes, config.text_or("writes", "on"));
  if (writes != "on" && writes != "off") return config.bad("writes", "must be on or off");
  settings.writes = writes == "on";
  ECP_TRY(const auto size, config.integer_or("buffer.max_mib", 256, 1, largest_buffer));
  settings.buffer_bytes = static_cast<std::size_t>(size) * mebibyte;
  ECP_TRY(settings.telemetry_interval, config.duration_or("telemetry.interval", Milliseconds{0},
                                                          Milliseconds{0}, longest_interval));
  ECP_TRY(settings.log_level, log_level(config));
  ECP_TRY_VOID(config.finish());
  return settings;
}

}  // namespace ecp::inline v0::agent
