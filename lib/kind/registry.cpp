// SPDX-License-Identifier: Apache-2.0
#include <ecp/kind/registry.hpp>

#include <algorithm>
#include <cassert>

#include <ecp/kind/pipeline_config.hpp>
#include <ecp/kind/reasons.hpp>

namespace ecp::inline v0::kind {

void KindRegistry::add(Kind kind) {
  assert(!kinds_.contains(kind.name) && "each kind is added once");
  auto name = kind.name;
  kinds_.emplace(std::move(name), std::move(kind));
}

Result<const Kind*> KindRegistry::get(std::string_view name) const {
  const auto found = kinds_.find(name);
  if (found == kinds_.end()) return Error(reasons::unknown_kind, {{"name", std::string(name)}});
  return &found->second;
}

std::vector<std::string> KindRegistry::names() const {
  std::vector<std::string> names;
  for (const auto& [name, kind] : kinds_) names.push_back(name);
  return names;
}

void RuntimeRegistry::add(std::string name) {
  assert(std::find(names_.begin(), names_.end(), name) == names_.end());
  names_.push_back(std::move(name));
}

Result<void> RuntimeRegistry::require(std::string_view name) const {
  if (std::find(names_.begin(), names_.end(), name) != names_.end()) return {};
  return Error(reasons::unknown_runtime, {{"name", std::string(name)}});
}

void add_builtin(KindRegistry& kinds, RuntimeRegistry& runtimes) {
  runtimes.add("builtin");
  kinds.add({"pipeline", {"builtin"}, [](std::string_view config_json) -> Result<void> {
               ECP_TRY_VOID(parse_pipeline_config(config_json));
               return {};
             }});
}

Result<void> check_service(const KindRegistry& kinds, const RuntimeRegistry& runtimes,
                           std::string_view kind, std::string_view runtime,
                           std::string_view config_json) {
  ECP_TRY(const auto* const known, kinds.get(kind));
  ECP_TRY_VOID(runtimes.require(runtime));
  const auto& fitting = known->runtimes;
  if (std::find(fitting.begin(), fitting.end(), runtime) == fitting.end()) {
    return Error(reasons::bad_pair,
                 {{"kind", std::string(kind)}, {"runtime", std::string(runtime)}});
  }
  return known->check_config(config_json);
}

}  // namespace ecp::inline v0::kind
