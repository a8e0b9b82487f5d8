// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Configuration from a YAML file with environment overrides.

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0 {

/// Environment variables given by the program (the library never calls getenv).
using EnvironmentVariables = std::map<std::string, std::string, std::less<>>;

/// A parsed configuration file, read key by key; keys are dotted paths: "http.listen".
///
/// An environment variable PREFIX_HTTP_LISTEN (dots as underscores, upper case) overrides a key.
/// Every getter notes its key; `finish` refuses keys that nobody asked for. Errors are
/// core.bad_config and name file, line and key (line 0 and file "environment" for an override).
class ECP_EXPORT Config {
 public:
  /// Fails on unreadable files, files over limits::config_file, bad YAML, aliases, tags and
  /// duplicate keys.
  [[nodiscard]] static Result<Config> load(const std::string& path, std::string_view prefix,
                                           const EnvironmentVariables& environment);
  /// The same from text; `name` stands for the file in errors.
  [[nodiscard]] static Result<Config> parse(std::string_view text, std::string name,
                                            std::string_view prefix,
                                            const EnvironmentVariables& environment);
  ~Config();
  Config(Config&&) noexcept;
  Config& operator=(Config&&) noexcept;

  [[nodiscard]] bool has(std::string_view key) const;
  [[nodiscard]] Result<std::string> text(std::string_view key);
  [[nodiscard]] Result<std::string> text_or(std::string_view key, std::string fallback);
  [[nodiscard]] Result<std::int64_t> integer_or(std::string_view key, std::int64_t fallback,
                                                std::int64_t min, std::int64_t max);
  [[nodiscard]] Result<bool> boolean_or(std::string_view key, bool fallback);
  /// "500ms", "15s", "5m", "24h", "90d".
  [[nodiscard]] Result<Milliseconds> duration_or(std::string_view key, Milliseconds fallback,
                                                 Milliseconds min, Milliseconds max);
  /// A sequence of scalars; from the environment, comma-separated.
  [[nodiscard]] Result<std::vector<std::string>> texts_or(std::string_view key,
                                                          std::vector<std::string> fallback);
  [[nodiscard]] Result<void> finish() const;
  [[nodiscard]] Error bad(std::string_view key, std::string_view problem) const;

 private:
  struct State;
  explicit Config(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0
