// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Drivers that read what a test feeds them and take every write; deterministic, without a thread.

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ecp/pipeline/driver.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace ecp_test {

/// What one opened driver was told; outlives the driver.
struct ScriptedDriver {
  ecp::kind::DriverConfig config;
  ecp::pipeline::DriverHandlers handlers;
  std::vector<std::pair<ecp::pipeline::TagPlace, ecp::series::Value>> writes;
  std::vector<std::function<void(ecp::Result<ecp::series::Value>)>> held;  ///< While `hold_writes`.
  bool hold_writes = false;
  std::optional<ecp::Error> write_problem;  ///< What writes come to, when set.
  bool is_running = false;

  void feed(ecp::pipeline::TagPlace place, ecp::Result<ecp::series::Value> value,
            ecp::Time time = {}) {
    if (!is_running) return;
    std::vector<ecp::pipeline::Reading> readings;
    readings.push_back({place, time, std::move(value)});
    handlers.on_readings(std::move(readings));
  }
  /// End the first write that is held.
  void end_write(ecp::Result<ecp::series::Value> result) {
    const auto done = held.at(0);
    held.erase(held.begin());
    done(std::move(result));
  }
  void feed_state(std::optional<ecp::Error> problem) {
    if (is_running) handlers.on_state(std::move(problem));
  }
};

class ScriptedDrivers final : public ecp::pipeline::DriverFactory {
 public:
  std::map<std::string, std::shared_ptr<ScriptedDriver>> opened;  ///< By name; the newest.
  bool refuses = false;

  ecp::Result<std::unique_ptr<ecp::pipeline::Driver>> open(
      const ecp::kind::DriverConfig& config) override {
    if (refuses) {
      return ecp::Error(ecp::pipeline::reasons::unknown_driver, {{"type", config.type}});
    }
    auto script = std::make_shared<ScriptedDriver>();
    script->config = config;
    opened[config.name] = script;
    return std::make_unique<Line>(script);
  }

 private:
  class Line final : public ecp::pipeline::Driver {
   public:
    explicit Line(std::shared_ptr<ScriptedDriver> script) : script_(std::move(script)) {}
    ~Line() override { stop(); }
    void start(ecp::pipeline::DriverHandlers handlers) override {
      script_->handlers = std::move(handlers);
      script_->is_running = true;
    }
    void stop() noexcept override {
      script_->is_running = false;
      for (auto& handler : std::exchange(script_->held, {})) {
        handler(ecp::pipeline::reasons::stopped);
      }
    }
    void write(std::vector<ecp::pipeline::Write> writes) override {
      for (auto& [place, value, done] : writes) {
        script_->writes.emplace_back(place, value);
        if (script_->write_problem) {
          done(*script_->write_problem);
        } else if (script_->hold_writes) {
          script_->held.push_back(std::move(done));
        } else {
          done(std::move(value));
        }
      }
    }

   private:
    std::shared_ptr<ScriptedDriver> script_;  // Shared with the test.
  };
};

}  // namespace ecp_test
