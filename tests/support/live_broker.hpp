// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A real mosquitto with our plugin on a free port of 127.0.0.1, and certificates for it.

#include <chrono>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/transport/broker.hpp>

#include "support/temporary_folder.hpp"

namespace ecp::tests {

/// A port that was free a moment ago.
std::uint16_t free_port();

/// Wait until a condition that other threads make true holds; false after ten seconds.
bool eventually(const std::function<bool()>& condition,
                std::chrono::milliseconds patience = std::chrono::seconds(10));

/// The broker, ended with this object. Construction throws what went wrong.
class LiveBroker {
 public:
  explicit LiveBroker(Env env);
  ~LiveBroker();

  /// Options as the constructor used them.
  [[nodiscard]] const transport::BrokerOptions& options() const { return options_; }
  [[nodiscard]] transport::SupervisedBroker& broker() { return *broker_; }
  [[nodiscard]] std::uint16_t port() const { return options_.port; }
  [[nodiscard]] pki::Authority& authority() { return authority_; }
  [[nodiscard]] const std::string& folder() const { return folder_.path(); }

  /// Files of a new certificate; every call makes another key.
  transport::MqttTls agent_tls(const std::string& name);
  transport::MqttTls replica_tls(const std::string& replica);
  /// Write the chain and key of anything the authority issued.
  transport::MqttTls write_tls(const std::string& chain_pem, const Secret& key);

  std::unique_ptr<transport::AgentLink> link(link::AgentId agent);
  std::unique_ptr<transport::AgentGateway> gateway(const std::string& replica = "r1");

  /// End the broker and start it anew on the same port.
  void restart();
  void stop();

 private:
  Env env_;
  testing::TemporaryFolder folder_;
  pki::Authority authority_;
  int files_ = 0;
  transport::BrokerOptions options_;
  std::unique_ptr<transport::SupervisedBroker> broker_;
};

}  // namespace ecp::tests
