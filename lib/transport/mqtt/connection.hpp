// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One libmosquitto client from connect to disconnect, driven by one thread without locks.

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <mosquitto.h>

#include <ecp/core/env.hpp>
#include <ecp/transport/agent_link.hpp>
#include <ecp/transport/mqtt.hpp>

namespace ecp::inline v0::transport {

/// Counted initialisation of libmosquitto; it lives as long as anybody holds it.
std::shared_ptr<void> hold_mosquitto();

/// A client object and what its callbacks have seen.
///
/// Ownership: owns the client; says good-bye when destroyed, asking for the will to be sent.
/// Thread safety: none.
/// Callbacks: inside `connect`, `step` and `publish`.
class MqttConnection final {
 public:
  struct Will {
    std::string topic;
    Bytes payload;
    bool retain = false;
  };
  struct Options {
    BrokerAddress broker;
    MqttTls tls;
    std::string client_id;
    Milliseconds keep_alive{30'000};
    const Will* will = nullptr;
  };
  using PublishHandler = std::function<void(int reason_code)>;
  using SubscribeHandler = std::function<void(const std::vector<int>& reason_codes)>;
  using MessageHandler = std::function<void(std::string_view topic, BytesView payload)>;

  explicit MqttConnection(MessageHandler on_message);
  ~MqttConnection();
  MqttConnection(const MqttConnection&) = delete;
  MqttConnection& operator=(const MqttConnection&) = delete;

  /// Begin to connect; the rest happens in `step`. Certificates are judged at `now` or later, see
  /// MqttTls.
  Result<void> connect(const Options& options, Time now);
  /// Read, write and keep alive after poll() said that `happened`. False when the connection is
  /// lost.
  bool step(short happened);
  [[nodiscard]] int descriptor() const;
  /// There is more to read though poll() would not say so: step with POLLIN without waiting.
  [[nodiscard]] bool has_more() const noexcept { return read_ahead_; }
  /// What to poll for.
  [[nodiscard]] short events() const;
  /// The CONNACK has come and was good.
  [[nodiscard]] bool is_accepted() const noexcept { return accepted_; }
  /// Why the connection ended, as far as known.
  [[nodiscard]] LinkLoss loss() const noexcept;
  [[nodiscard]] std::string problem() const;
  /// Largest packet that the broker takes; 0: it did not say.
  [[nodiscard]] std::size_t max_packet() const noexcept { return max_packet_; }

  /// Subscribe to all filters in one packet.
  bool subscribe(const std::vector<std::string>& filters, int qos, SubscribeHandler handler);
  /// Publish; QoS 1: `handler` gets the PUBACK's reason code; QoS 0: 0 at once.
  /// Returns an error when nothing was sent; then `handler` is not called.
  Result<void> publish(const std::string& topic, BytesView payload, int qos, bool retain,
                       PublishHandler handler);
  /// Tell all that wait for a PUBACK that none will come (`connection_lost`).
  void fail_pending();
  /// Note that the broker did not let us do what we must.
  void mark_refused() noexcept { refused_ = true; }

  static constexpr int connection_lost = -1;

 private:
  void set_callbacks();
  int read_some();
  Result<void> set_tls(const Options& options, Time now);

  std::shared_ptr<void> library_;
  struct Deleter {
    void operator()(mosquitto* client) const noexcept { mosquitto_destroy(client); }
  };
  std::unique_ptr<mosquitto, Deleter> client_;
  MessageHandler on_message_;
  std::map<int, PublishHandler> publishing_;
  std::map<int, SubscribeHandler> subscribing_;
  bool accepted_ = false;
  bool lost_ = false;
  bool dialled_ = false;  ///< The TCP connection stands.
  bool refused_ = false;
  bool read_ahead_ = false;
  int connack_ = 0;
  int disconnect_reason_ = 0;
  int last_error_ = 0;
  std::size_t max_packet_ = 0;
  std::string tls_problem_;  ///< What was said last of TLS.
  std::string verdict_;      ///< Why the broker's certificate was not trusted.
};

}  // namespace ecp::inline v0::transport
