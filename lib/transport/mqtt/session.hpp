// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One MQTT connection that is kept up: what agent link and gateway have in common.

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/transport/agent_link.hpp>
#include <ecp/transport/mqtt.hpp>

#include "core/thread.hpp"
#include "transport/inbox.hpp"
#include "transport/mqtt/wakeup.hpp"

namespace ecp::inline v0::transport {

class MqttConnection;

struct MqttMessage {
  std::string topic;
  Bytes payload;
  int qos = 1;
  DoneHandler done;  ///< May be empty.
};

/// What a new connection begins with.
struct MqttGreeting {
  std::optional<MqttMessage> will;
  std::vector<std::string> filters;   ///< Subscribed with QoS 1.
  std::vector<MqttMessage> messages;  ///< Sent after the subscriptions, before anything else.
  bool must_be_heard = false;         ///< Those that nobody is subscribed to are sent again.
};

struct MqttSessionOptions {
  std::vector<BrokerAddress> brokers;  ///< Tried in turn.
  MqttTls tls;
  std::string client_id;
  Milliseconds keep_alive{30'000};
  Milliseconds connect_timeout{10'000};
  Milliseconds reconnect_cap{60'000};
  std::size_t max_pending = 0;  ///< Sends whose outcome is not known yet.
};

struct MqttSessionHandlers {
  std::function<Result<MqttGreeting>()> on_connecting;  ///< On the executor.
  std::function<void(LinkState, LinkLoss)> on_state;    ///< On the executor.
  /// On the session's thread; copies, queues, returns.
  std::function<void(std::string_view topic, BytesView payload)> on_message;
};

/// Connects, reconnects with jitter, publishes.
///
/// Ownership: shared by its end and by tasks and timers on their way. Owns one thread from start()
///   to stop().
/// Thread safety: any thread.
class MqttSession final : public std::enable_shared_from_this<MqttSession> {
 public:
  MqttSession(MqttSessionOptions options, Env env, std::shared_ptr<Inbox> inbox);
  ~MqttSession();

  Result<void> start(MqttSessionHandlers handlers);
  void stop() noexcept;
  void send(MqttMessage message);
  void reconnect();
  void set_reconnect_cap(Milliseconds longest);
  [[nodiscard]] std::size_t max_payload() const noexcept;

 private:
  friend class MqttConnection;

  struct Requests {
    bool stop = false;
    bool reconnect = false;
    bool timed_out = false;
    std::optional<MqttGreeting> greeting;
    std::deque<MqttMessage> messages;
  };

  void begin_attempt(std::uint64_t attempt);  ///< On the executor.
  void plan_attempt(Milliseconds delay);
  void run();                             ///< The thread.
  LinkLoss serve(MqttGreeting greeting);  ///< One connection, from connect to loss.
  bool converse(MqttConnection& connection, MqttGreeting& greeting);
  void greet(MqttConnection& connection, MqttGreeting& greeting);
  void repeat(const MqttMessage& message, unsigned tries);
  [[nodiscard]] bool is_attempt(std::uint64_t attempt) const;
  bool take_requests(MqttConnection& connection);  ///< False: give the connection up.
  void tell(LinkState state, LinkLoss loss);
  void finish(DoneHandler done, Result<void> outcome);
  void fail_all(MqttConnection& connection);
  [[nodiscard]] short await(const MqttConnection& connection, bool has_read);

  const MqttSessionOptions options_;
  const Env env_;
  const std::shared_ptr<Inbox> inbox_;  ///< Shared with the end.
  MqttSessionHandlers handlers_;
  Wakeup wakeup_;
  int gathering_ms_;  ///< On the thread only: how long to wait for more when something was read.
  std::unique_ptr<Thread> thread_;

  mutable std::mutex mutex_;  ///< Guards what follows; never held while a handler runs.
  Requests requests_;
  bool started_ = false;
  bool stopped_ = false;
  bool up_ = false;
  std::size_t pending_ = 0;
  std::size_t max_payload_;
  Milliseconds reconnect_cap_;
  std::uint64_t attempt_ = 0;  ///< Number of the planned or running attempt.
  bool attempting_ = false;    ///< That attempt has begun.
  unsigned failures_ = 0;      ///< In a row.
  std::size_t next_broker_ = 0;
  TimerId retry_timer_ = TimerId::none;
};

}  // namespace ecp::inline v0::transport
