// SPDX-License-Identifier: Apache-2.0
#include <future>
#include <mutex>

#include <ecp/pipeline/driver.hpp>
#include <ecp/pipeline/reasons.hpp>

#include "pipeline/modbus/poller.hpp"

namespace ecp::inline v0::pipeline {
namespace {

using modbus::IoThread;
using modbus::Poller;

/// Hands everything to its poller on the io thread.
class ModbusDriver final : public Driver {
 public:
  ModbusDriver(const kind::DriverConfig& config, std::shared_ptr<IoThread> io, Env env)
      : io_(std::move(io)), poller_(std::make_shared<Poller>(config, io_, env)) {}
  ~ModbusDriver() override { stop(); }

  void start(DriverHandlers handlers) override {
    io_->post([poller = poller_, handlers = std::move(handlers)]() mutable {
      poller->start(std::move(handlers));
    });
  }

  void stop() noexcept override {
    if (is_stopped_) return;
    is_stopped_ = true;
    std::promise<void> done;
    io_->post([this, &done] {
      poller_->stop();
      done.set_value();
    });
    done.get_future().wait();
  }

  void write(std::vector<Write> writes) override {
    io_->post([poller = poller_, writes = std::move(writes)] { poller->write(writes); });
  }

 private:
  std::shared_ptr<IoThread> io_;    // Shared with the factory and its other drivers.
  std::shared_ptr<Poller> poller_;  // Shared with tasks on their way.
  bool is_stopped_ = false;
};

class ModbusDrivers final : public DriverFactory {
 public:
  explicit ModbusDrivers(Env env) : env_(env), io_(std::make_shared<IoThread>()) {}
  ~ModbusDrivers() override { io_->stop(); }

  Result<std::unique_ptr<Driver>> open(const kind::DriverConfig& config) override {
    if (config.type != "modbus-tcp") {
      return Error(reasons::unknown_driver, {{"type", config.type}});
    }
    {
      const std::lock_guard lock(mutex_);
      io_->start();
    }
    return std::make_unique<ModbusDriver>(config, io_, env_);
  }

 private:
  Env env_;
  std::mutex mutex_;
  std::shared_ptr<IoThread> io_;  // Shared with the drivers.
};

}  // namespace

Driver::~Driver() = default;
DriverFactory::~DriverFactory() = default;

std::unique_ptr<DriverFactory> open_modbus_drivers(Env env) {
  return std::make_unique<ModbusDrivers>(env);
}

}  // namespace ecp::inline v0::pipeline
