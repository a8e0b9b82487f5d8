// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A bare MQTT client with any certificate, for trying what it must not do.

#include <poll.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "support/live_broker.hpp"
#include "transport/mqtt/connection.hpp"

namespace ecp::tests {

class Peer {
 public:
  Peer(const LiveBroker& broker, transport::MqttTls tls, std::string client_id,
       const transport::MqttConnection::Will* will = nullptr) {
    transport::MqttConnection::Options options;
    options.broker = {"127.0.0.1", broker.port()};
    options.tls = std::move(tls);
    options.client_id = std::move(client_id);
    options.will = will;
    accepted_ = connection_->connect(options, system_clock().now()).has_value() &&
                run([this] { return connection_->is_accepted(); });
  }

  [[nodiscard]] bool accepted() const { return accepted_; }
  [[nodiscard]] transport::MqttConnection& connection() { return *connection_; }

  /// Reason code of the PUBACK; 255 when the session ended instead.
  int publish(const std::string& topic, const Bytes& payload, bool retain = false) {
    std::optional<int> answer;
    auto sent =
        connection_->publish(topic, payload, 1, retain, [&answer](int code) { answer = code; });
    if (!sent) return 255;
    if (!run([&answer] { return answer.has_value(); })) return 255;
    return *answer;
  }
  /// Reason code of the SUBACK; 255 when the session ended instead.
  int subscribe(const std::string& filter) {
    std::optional<int> answer;
    if (!connection_->subscribe(
            {filter}, 1, [&answer](const std::vector<int>& codes) { answer = codes.at(0); })) {
      return 255;
    }
    if (!run([&answer] { return answer.has_value(); })) return 255;
    return *answer;
  }
  /// Serve the connection until the condition holds; false when it breaks or ten seconds pass.
  template <class Condition>
  bool run(Condition is_met) {
    const auto deadline = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (!is_met()) {
      if (!alive_ || std::chrono::steady_clock::now() > deadline) return false;
      pollfd descriptor{connection_->descriptor(), connection_->events(), 0};
      ::poll(&descriptor, 1, 20);
      alive_ = connection_->step(descriptor.revents);
    }
    return true;
  }
  bool has(const Bytes& payload) const {
    for (const auto& message : received) {
      if (message.second == payload) return true;
    }
    return false;
  }
  /// Say good-bye, asking for the will.
  void leave() { connection_.reset(); }

  std::vector<std::pair<std::string, Bytes>> received;

 private:
  std::unique_ptr<transport::MqttConnection> connection_ =
      std::make_unique<transport::MqttConnection>(
          [this](std::string_view topic, BytesView payload) {
            received.emplace_back(topic, payload);
          });
  bool accepted_ = false;
  bool alive_ = true;
};

}  // namespace ecp::tests
