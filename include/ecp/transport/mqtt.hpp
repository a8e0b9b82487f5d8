// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The link over MQTT v5 and mutual TLS.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/link/ids.hpp>
#include <ecp/transport/agent_gateway.hpp>
#include <ecp/transport/agent_link.hpp>
#include <ecp/transport/session_cutter.hpp>

namespace ecp::inline v0::transport {

struct BrokerAddress {
  std::string host;  ///< DNS name or address; the broker's certificate must name it.
  std::uint16_t port = 8883;
};

/// Files in PEM, read again before every connect. Verification is always on: TLS 1.2 or newer, a
/// chain to one of the roots, and the host's name.
struct MqttTls {
  std::string roots_path;
  std::string certificate_path;  ///< Leaf first, then its issuing CA.
  std::string key_path;
  /// Asked before every connect, on the connection's thread: certificates are judged at this time
  /// while the clock shows an earlier one. Absent: at the clock's.
  std::function<Time()> earliest{};
};

struct MqttLinkOptions {
  std::vector<BrokerAddress> brokers;  ///< Tried in turn.
  MqttTls tls;
  link::AgentId agent;  ///< The common name of the certificate.
  Milliseconds keep_alive{30'000};
  /// From the first octet to a working session; doubled with each failure, up to `reconnect_cap`.
  Milliseconds connect_timeout{10'000};
  Milliseconds reconnect_cap{60'000};  ///< Longest wait before the next try to connect.
};

/// Make an agent's end. Owns one thread between start() and stop(), which blocks all signals; a
/// name look-up in progress may hold stop() up for some seconds.
/// Fails with `invalid_argument` without a broker or file path.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<AgentLink>> open_mqtt_agent_link(
    MqttLinkOptions options, Env env);

struct MqttGatewayOptions {
  BrokerAddress broker;
  MqttTls tls;
  std::string replica;  ///< Its certificate's common name is "ecpd-" + replica; [0-9a-z]{1,32}.
  /// Beside other replicas: the name of their common share of what agents send. Presence they all
  /// hear. Empty: this replica is alone. Then its deny set is the broker's; otherwise it is added.
  std::string share_group{};
  std::string deny_path{};  ///< Kept equal to the deny set when given; see transport::deny_path.
  /// For a broker that is not in our care: proves its guard, as prove_guard does. Asked on a worker
  /// before each connection, which is not made without, and every minute of one; blocks.
  std::function<Result<void>()> prove{};
  /// Keeps revoked agents off the broker; none: our plugin's control topic does.
  std::unique_ptr<SessionCutter> cutter{};
  Milliseconds keep_alive{30'000};
  Milliseconds connect_timeout{10'000};
};

/// Make the cloud's end of one replica. Threads as above.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<AgentGateway>> open_mqtt_gateway(
    MqttGatewayOptions options, Env env);

}  // namespace ecp::inline v0::transport
