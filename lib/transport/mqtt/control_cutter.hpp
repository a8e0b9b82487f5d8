// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Revoking on a broker with our plugin.

#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/transport/session_cutter.hpp>

namespace ecp::inline v0::transport {

class MqttSession;

/// Tells the plugin on its control topic, over the gateway's own connection; and keeps the set in a
/// file for a broker in our care, which reads it when it starts.
class ControlCutter final : public SessionCutter {
 public:
  struct Options {
    std::string deny_path;  ///< That file; empty: none.
    bool is_alone =
        true;  ///< No other replica may know of more: the set is replaced, not added to.
  };
  ControlCutter(Options options, std::weak_ptr<MqttSession> session, Env env);

  void deny(link::AgentId agent) override;
  void set_denied(std::span<const link::AgentId> agents) override;
  void repeat() override;
  void stop() noexcept override;

 private:
  void keep();
  void send_all();
  void send(std::vector<std::string> texts);
  [[nodiscard]] std::vector<link::AgentId> denied();

  const Options options_;
  const std::weak_ptr<MqttSession> session_;
  const Env env_;
  std::mutex file_mutex_;  ///< Held while the file is written; never taken on the executor.
  std::mutex mutex_;
  std::set<link::AgentId> denied_;  ///< Under the mutex.
};

}  // namespace ecp::inline v0::transport
