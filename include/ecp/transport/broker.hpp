// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The MQTT broker that a control plane starts itself: mosquitto with our plugin.

#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/transport/mqtt.hpp>

namespace ecp::inline v0::transport {

struct BrokerOptions {
  std::string folder;  ///< Private, existing; holds configuration, log and the running one's id.
  std::string bind = "0.0.0.0";
  std::uint16_t port = 8883;
  std::string mosquitto_path = "/usr/sbin/mosquitto";
  std::string plugin_path;       ///< ecp_mosquitto_plugin.so
  std::string roots_path;        ///< What client certificates must chain to.
  std::string certificate_path;  ///< The broker's own chain, naming `probe_host`.
  std::string key_path;
  std::uint64_t descriptors = 65'536;  ///< Open files to ask for; bounded by the hard limit.
  /// Certificate of an agent that exists for nothing but to prove at each start that the forbidden
  /// is refused, and the host under which the broker is reached for that.
  MqttTls canary;
  std::string canary_name;  ///< Its common name, an agent id.
  std::string probe_host = "127.0.0.1";
};

/// File in a broker's folder with the agents that it refuses from its first moment on, before
/// anybody has told it.
[[nodiscard]] ECP_EXPORT std::string deny_path(const std::string& folder);
/// Replace that file. A running broker does not look at it; AgentGateway::set_denied tells it.
[[nodiscard]] ECP_EXPORT Result<void> write_denied(const std::string& path,
                                                   std::span<const link::AgentId> agents);

/// A mosquitto process in our care.
///
/// It outlives this object and the program, so that agents stay connected while the control plane
/// restarts: the next start() adopts it when it is the same process with the same configuration,
/// else ends it and starts anew. `stop()` ends it.
/// Thread safety: any thread.
/// Errors: see start().
class ECP_EXPORT SupervisedBroker {
 public:
  /// Write the configuration, adopt or start, wait until it listens, and prove its guard with the
  /// canary. Blocks for up to some seconds; call it from no executor. Afterwards it is watched:
  /// a dead one is started again with back-off and proven again, one that does not refuse what it
  /// must is ended.
  /// Fails with `failed_precondition` when the program is missing (naming the package), the port is
  /// taken or the guard has a hole, `unavailable` when it does not start.
  [[nodiscard]] static Result<std::unique_ptr<SupervisedBroker>> start(BrokerOptions options,
                                                                       Env env);
  ~SupervisedBroker();
  SupervisedBroker(const SupervisedBroker&) = delete;
  SupervisedBroker& operator=(const SupervisedBroker&) = delete;

  /// End the process (SIGTERM, after 5 s SIGKILL). Without it the destructor leaves it running.
  void stop() noexcept;
  /// Have it read its certificate files again.
  [[nodiscard]] Result<void> reload_certificate();
  /// Process id now; 0 while it is down.
  [[nodiscard]] int pid() const noexcept;
  /// How often it was started again after dying.
  [[nodiscard]] std::uint64_t restarts() const noexcept;
  /// True when start() found it running.
  [[nodiscard]] bool adopted() const noexcept;

  struct State;

 private:
  explicit SupervisedBroker(std::shared_ptr<State> state);
  std::shared_ptr<State> state_;  ///< Also held by the watch's timer.
};

/// Write the configuration of a mosquitto that somebody else starts, perhaps on another machine:
/// `bind`, `port` and the paths of plugin, roots, certificate and key are looked at, and whether
/// anything is there is not. Fails with transport.bad_options on values that cannot stand in it.
[[nodiscard]] ECP_EXPORT Result<std::string> mosquitto_config(const BrokerOptions& options);

/// Prove with an agent's certificate that the broker refuses other agents' topics, wildcards,
/// shared subscriptions, $SYS, the control topic and retained messages, takes what is allowed, and
/// names clients by their certificates. Blocks for up to some 20 s. Fails with
/// transport.broker_unguarded naming all holes, or `unavailable`.
[[nodiscard]] ECP_EXPORT Result<void> prove_guard(const BrokerAddress& address,
                                                  const MqttTls& canary,
                                                  const std::string& canary_name, Env env);

}  // namespace ecp::inline v0::transport
