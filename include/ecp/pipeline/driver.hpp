// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Southbound drivers: the port through which a pipeline reads and writes devices.

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/kind/pipeline_config.hpp>
#include <ecp/series/sample.hpp>

namespace ecp::inline v0::pipeline {

/// A data tag by its place in its driver's configuration.
struct TagPlace {
  std::uint32_t group = 0;
  std::uint32_t tag = 0;
  friend auto operator<=>(const TagPlace&, const TagPlace&) = default;
};

/// One value read, or why there is none.
struct Reading {
  TagPlace place;
  Time time;  ///< Of receipt.
  Result<series::Value> value = series::Value(0.0);
};

struct DriverHandlers {
  std::function<void(std::vector<Reading>)> on_readings;
  /// The device's state when it changes: none when it answers, else what is wrong.
  std::function<void(std::optional<Error>)> on_state;
};

/// A value (in scaled units, already judged by `judge_write`) on its way to a data tag.
struct Write {
  TagPlace place;
  series::Value value;
  std::function<void(Result<series::Value> read_back)> done;  ///< Called once.
};

/// One connection to one device (or gateway), reading its groups by themselves.
///
/// Thread safety: any thread, but `stop` not from a handler.
/// Callbacks: on the driver's own thread, one at a time; short; none starts after stop() returned.
///   A write's `done` is called once, by stop() at the latest.
class ECP_EXPORT Driver {
 public:
  virtual ~Driver();
  virtual void start(DriverHandlers handlers) = 0;
  virtual void stop() noexcept = 0;
  /// Write values in the order given, before the next poll, then read them back and compare. What
  /// follows its predecessor in the device's memory may go in one request with it. After the first
  /// that fails the rest is not written (pipeline.not_written).
  virtual void write(std::vector<Write> writes) = 0;
};

/// Opens drivers of the types it knows.
///
/// Ownership: outlives what it opened.
/// Thread safety: any thread.
class ECP_EXPORT DriverFactory {
 public:
  virtual ~DriverFactory();
  /// Fails with `invalid_argument` (pipeline.unknown_driver) for a type that it does not know.
  virtual Result<std::unique_ptr<Driver>> open(const kind::DriverConfig& config) = 0;
};

/// Modbus TCP ("modbus-tcp"): all connections in one thread, which starts with the first.
[[nodiscard]] ECP_EXPORT std::unique_ptr<DriverFactory> open_modbus_drivers(Env env);

}  // namespace ecp::inline v0::pipeline
