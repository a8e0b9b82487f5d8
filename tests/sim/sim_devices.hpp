// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A device and the driver that reads it, on the simulation's clock.

#include <map>
#include <memory>

#include <ecp/core/env.hpp>
#include <ecp/pipeline/driver.hpp>

namespace ecp_test {

/// What stands in the plant; it goes on while its agent is dead.
struct SimDevice {
  std::int64_t counter = 0;       ///< Every reading gives another number.
  double level = 0;               ///< What the alarm rule looks at.
  bool silent = false;            ///< Gives no readings.
  std::map<double, int> written;  ///< How often each value was written.
};

/// Opens drivers on one device. Tags are known by their place in a group: counter, level, setpoint.
class SimDrivers final : public ecp::pipeline::DriverFactory {
 public:
  SimDrivers(std::shared_ptr<SimDevice> device, ecp::Env env)
      : device_(std::move(device)), env_(env) {}
  ~SimDrivers() override;
  ecp::Result<std::unique_ptr<ecp::pipeline::Driver>> open(
      const ecp::kind::DriverConfig& config) override;

 private:
  std::shared_ptr<SimDevice> device_;  // Shared with the test and all drivers on it.
  ecp::Env env_;
};

}  // namespace ecp_test
