// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The open sets of kinds (what an edge service is) and runtimes (how it runs).

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0::kind {

/// What is known of a product by its name: "pipeline", an OEM's "acme.gateway".
struct Kind {
  std::string name;
  std::vector<std::string> runtimes;  ///< How services of this kind can run.
  /// Check a service's configuration (JSON text); both ends call it before they take it.
  std::function<Result<void>(std::string_view config_json)> check_config;
};

/// Kinds by name; filled at composition, by the root object that owns it.
///
/// Thread safety: const members from any thread once composition is over.
class ECP_EXPORT KindRegistry {
 public:
  /// Add a kind; a name that is taken is a broken invariant (assert).
  void add(Kind kind);
  /// Fails with `invalid_argument` (kind.unknown_kind).
  [[nodiscard]] Result<const Kind*> get(std::string_view name) const;
  [[nodiscard]] std::vector<std::string> names() const;

 private:
  std::map<std::string, Kind, std::less<>> kinds_;
};

/// Runtimes by name, as KindRegistry.
class ECP_EXPORT RuntimeRegistry {
 public:
  void add(std::string name);
  /// Fails with `invalid_argument` (kind.unknown_runtime).
  [[nodiscard]] Result<void> require(std::string_view name) const;
  [[nodiscard]] const std::vector<std::string>& names() const noexcept { return names_; }

 private:
  std::vector<std::string> names_;
};

/// What both ends know from the start: the kind "pipeline", the runtime "builtin".
ECP_EXPORT void add_builtin(KindRegistry& kinds, RuntimeRegistry& runtimes);

/// Check a service as a whole: known kind, known runtime, a pair that fits, a good configuration.
[[nodiscard]] ECP_EXPORT Result<void> check_service(const KindRegistry& kinds,
                                                    const RuntimeRegistry& runtimes,
                                                    std::string_view kind, std::string_view runtime,
                                                    std::string_view config_json);

}  // namespace ecp::inline v0::kind
