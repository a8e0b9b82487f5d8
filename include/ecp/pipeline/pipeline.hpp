// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A running pipeline service: its drivers, what they read, and what may be written.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/kind/pipeline_config.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pipeline/driver.hpp>
#include <ecp/pipeline/observation.hpp>
#include <ecp/series/sample.hpp>

namespace ecp::inline v0::pipeline {

/// Judge a write, whoever asks for it: the agent's own switch, the tag's declaration, type, min and
/// max, and whether the register can hold it. The value is returned as the driver takes it. Fails
/// with the reason of the first guard that refuses: pipeline.writes_off, not_writable,
/// write_wrong_type, write_out_of_range, write_does_not_fit.
[[nodiscard]] ECP_EXPORT Result<series::Value> judge_write(const kind::TagConfig& tag,
                                                           std::string_view value_json,
                                                           bool writes_allowed);

/// What a service does, for heartbeats.
struct PipelineStatus {
  link::ServiceState state = link::ServiceState::starting;
  std::string reason;
};

/// One pipeline service.
///
/// Thread safety: any thread, but `stop` and the destructor not from a handler.
/// Callbacks: on the drivers' threads; short; none starts after stop() returned.
class ECP_EXPORT Pipeline {
 public:
  struct Handlers {
    std::function<void(std::vector<Observation>)> on_observations;
    std::function<void()> on_status;  ///< `status` has changed.
  };

  /// Open every driver of the configuration. Fails with the first failure.
  [[nodiscard]] static Result<std::unique_ptr<Pipeline>> open(kind::PipelineConfig config,
                                                              DriverFactory& drivers);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  void start(Handlers handlers);
  void stop() noexcept;
  [[nodiscard]] PipelineStatus status() const;
  /// Judge and write. The handler is called once, on any thread, perhaps inside this call.
  void write(std::string_view tag, std::string_view value_json, bool writes_allowed,
             Driver::WriteHandler handler);

 private:
  struct State;
  explicit Pipeline(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  ///< Also held by the drivers' handlers.
};

}  // namespace ecp::inline v0::pipeline
