// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The edge services that this agent runs.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/kind/pipeline_config.hpp>
#include <ecp/kind/registry.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/pipeline.hpp>

namespace ecp::inline v0::agent {

inline constexpr std::string_view service_prefix = "service/";

/// Thread safety: the agent's lane alone.
class Services {
 public:
  struct Handlers {
    std::function<void(link::EdgeServiceId, std::vector<pipeline::Observation>)> on_observations;
    std::function<void()> on_status;
  };
  Services(pipeline::DriverFactory& drivers, bool writes, Handlers handlers);
  ~Services();

  /// Run a service as its resource says; what ran before stays when this fails.
  Result<void> apply(std::string_view name, std::string_view body);
  void remove(std::string_view name);
  /// Start, stop or restart a service.
  Result<void> control(link::EdgeServiceId service, std::string_view action);
  /// What writes would be refused for now; none when they may go. Fails when the service is not
  /// known or does not run.
  Result<std::optional<pipeline::WriteResults>> refusals(
      link::EdgeServiceId service, const std::vector<pipeline::WriteOrder>& orders) const;
  /// Write; `done` is called once, on any thread, perhaps inside this call.
  void write(link::EdgeServiceId service, const std::vector<pipeline::WriteOrder>& orders,
             bool is_safe_value, const std::function<void(pipeline::WriteResults)>& done);
  /// What a service's resource says now; null when there is none.
  [[nodiscard]] const kind::ServiceResource* resource(link::EdgeServiceId service) const;
  [[nodiscard]] std::vector<link::Heartbeat::Service> states() const;
  void stop() noexcept;

 private:
  struct Running {
    kind::ServiceResource resource;
    std::unique_ptr<pipeline::Pipeline> pipeline;  ///< None while stopped.
    Time last_reading;                             ///< Of what ran before.
  };
  Result<void> start(Running& service);
  static bool halt(Running& service) noexcept;
  Result<pipeline::Pipeline*> running(link::EdgeServiceId service) const;

  pipeline::DriverFactory& drivers_;
  bool writes_;
  Handlers handlers_;
  kind::KindRegistry kinds_;
  kind::RuntimeRegistry runtimes_;
  std::map<link::EdgeServiceId, Running> services_;
};

}  // namespace ecp::inline v0::agent
