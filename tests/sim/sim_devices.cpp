// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_devices.hpp"

#include <utility>
#include <vector>

namespace ecp_test {

namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

/// Polls by the executor's timers. Callbacks run there, none after stop().
class SimDriver final : public pipeline::Driver {
 public:
  SimDriver(std::shared_ptr<SimDevice> device, Milliseconds interval, Env env)
      : line_(std::make_shared<Line>(
            Line{std::move(device), interval, env, {}, false, TimerId::none})) {}
  ~SimDriver() override { stop(); }

  void start(pipeline::DriverHandlers handlers) override {
    line_->handlers = std::move(handlers);
    line_->running = true;
    line_->env.executor.post([line = line_] {
      if (line->running) line->handlers.on_state(std::nullopt);
    });
    arm(line_);
  }

  void stop() noexcept override {
    line_->running = false;
    line_->env.executor.cancel(line_->timer);
  }

  void write(std::vector<pipeline::Write> writes) override {
    for (auto& write : writes) {
      const auto number = std::holds_alternative<double>(write.value)
                              ? std::get<double>(write.value)
                              : static_cast<double>(std::get<std::int64_t>(write.value));
      ++line_->device->written[number];
      line_->env.executor.post([write = std::move(write)] { write.done(write.value); });
    }
  }

 private:
  struct Line {
    std::shared_ptr<SimDevice> device;
    Milliseconds interval;
    Env env;
    pipeline::DriverHandlers handlers;
    bool running;
    TimerId timer;
  };

  static void arm(const std::shared_ptr<Line>& line) {
    line->timer = line->env.executor.post_after(line->interval, [line] {
      if (!line->running) return;
      poll(*line);
      arm(line);
    });
  }

  static void poll(Line& line) {
    if (line.device->silent) return;
    const auto now = line.env.clock.now();
    std::vector<pipeline::Reading> readings;
    readings.push_back({{0, 0}, now, series::Value(++line.device->counter)});
    readings.push_back({{0, 1}, now, series::Value(line.device->level)});
    line.handlers.on_readings(std::move(readings));
  }

  std::shared_ptr<Line> line_;  // Shared with the timer's task.
};

}  // namespace

SimDrivers::~SimDrivers() = default;

Result<std::unique_ptr<pipeline::Driver>> SimDrivers::open(const kind::DriverConfig& config) {
  return std::make_unique<SimDriver>(device_, config.groups.at(0).interval, env_);
}

}  // namespace ecp_test
