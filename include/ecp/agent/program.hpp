// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The agent as a program: settings, and its three verbs on one data folder, for anybody's main().

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/config.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/log.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::agent {

/// Variables ECP_EDGE_... override keys of the file.
inline constexpr std::string_view environment_prefix = "ECP_EDGE";

/// What a configuration file says.
struct Settings {
  std::string data_folder;
  bool writes = true;  ///< False: no device write, whoever asks.
  std::size_t buffer_bytes = 256 * mebibyte;
  Milliseconds telemetry_interval{0};
  LogLevel log_level = LogLevel::info;
};

/// Read every key; docs/configuration.md has them. Fails as Config.
[[nodiscard]] ECP_EXPORT Result<Settings> read_settings(Config& config);

/// Make the data folder that of an edge node; return the node's id. Fails as agent::enroll, and
/// with `failed_precondition` (agent.folder_in_use).
[[nodiscard]] ECP_EXPORT Result<std::string> enroll_folder(const Settings& settings,
                                                           const std::string& url,
                                                           const std::string& name,
                                                           const Secret& token, LogSink& log);

/// Run the agent of an enrolled folder, with MQTT, Modbus and SQLite, until `wait` returns. Fails
/// with `failed_precondition` when the folder is not enrolled or another program runs on it.
[[nodiscard]] ECP_EXPORT Result<void> run_agent(const Settings& settings, LogSink& log,
                                                const std::function<void()>& wait);

/// What the files say, whether an agent runs on them or not.
struct FolderStatus {
  std::string node;            ///< "node_..."
  std::optional<bool> linked;  ///< None: an agent runs, but has not said yet.
  std::int64_t buffered = 0;   ///< Samples stored and not acknowledged.
  std::int64_t committed = 0;  ///< Samples ever given a number.
  std::int64_t dropped = 0;    ///< Those of them that were given up, because the buffer was full.
  std::int64_t epoch = 0;      ///< Of the desired state accepted last.
  std::int64_t generation = 0;
};

/// Fails with `failed_precondition` (agent.not_enrolled), and as the store.
[[nodiscard]] ECP_EXPORT Result<FolderStatus> read_status(const std::string& data_folder,
                                                          LogSink& log);

}  // namespace ecp::inline v0::agent
