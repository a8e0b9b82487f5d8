// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A running pipeline service: its drivers, what they read, and what may be written.

#include <functional>
#include <memory>
#include <optional>
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

/// What guards have to know besides the data tag.
struct WriteCircumstances {
  bool writes_allowed = true;               ///< The agent's own switch.
  std::optional<series::Value> current;     ///< Of the data tag; none: no good value.
  std::optional<Milliseconds> since_write;  ///< Since it was written last; none: never.
  /// A safe value is declared beside the guards and not asked for: it may be a large step, and need
  /// not wait. All other guards hold for it.
  bool is_safe_value = false;
};

/// Judge a write, whoever asks for it: the agent's own switch, the tag's declaration, type, min and
/// max, whether the register can hold it, max_step and min_interval. The value is returned as the
/// driver takes it. Fails with the reason of the first guard that refuses: pipeline.writes_off,
/// not_writable, write_wrong_type, write_out_of_range, write_does_not_fit, write_step_unknown,
/// write_step_too_large, write_too_soon.
[[nodiscard]] ECP_EXPORT Result<series::Value> judge_write(const kind::TagConfig& tag,
                                                           std::string_view value_json,
                                                           const WriteCircumstances& circumstances);

/// Whether an error of a write says that a guard refused it, so that the device was not touched.
[[nodiscard]] ECP_EXPORT bool is_refusal(const Error& error) noexcept;

/// A write that somebody wants.
struct WriteOrder {
  std::string tag;  ///< "driver/group/tag"
  std::string value_json;
  std::optional<Milliseconds> since_write;  ///< As in WriteCircumstances.
};
/// In the order of the orders.
using WriteResults = std::vector<Result<series::Value>>;

/// What a service does, for heartbeats.
struct PipelineStatus {
  link::ServiceState state = link::ServiceState::starting;
  std::string reason;
};

/// By what right somebody writes.
struct WriteRights {
  bool writes_allowed = true;
  bool is_safe_value = false;
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

  /// Open every driver of the configuration. Fails with the first failure, and when a data tag
  /// cannot hold its safe value.
  [[nodiscard]] static Result<std::unique_ptr<Pipeline>> open(kind::PipelineConfig config,
                                                              DriverFactory& drivers);
  ~Pipeline();
  Pipeline(const Pipeline&) = delete;
  Pipeline& operator=(const Pipeline&) = delete;

  /// `former`: the last_reading() of the version that ran before, so that no data tag has two
  /// samples in one millisecond.
  void start(Handlers handlers, Time former = {});
  void stop() noexcept;
  /// Time of the newest reading; the epoch before the first. After stop() only.
  [[nodiscard]] Time last_reading() const;
  [[nodiscard]] PipelineStatus status() const;
  /// Judge each order, and write none when a guard refuses one (the others: pipeline.not_written).
  /// The handler is called once, on any thread, perhaps inside this call.
  void write(const std::vector<WriteOrder>& orders, WriteRights rights,
             std::function<void(WriteResults)> handler);
  /// Judge only: what `write` would refuse now. None when nothing.
  [[nodiscard]] std::optional<WriteResults> refusals(const std::vector<WriteOrder>& orders,
                                                     WriteRights rights) const;

 private:
  struct State;
  explicit Pipeline(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  ///< Also held by the drivers' handlers.
};

}  // namespace ecp::inline v0::pipeline
