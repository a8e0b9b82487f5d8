// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/connection.hpp"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <mutex>
#include <utility>

#include <mqtt_protocol.h>

#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/transport/reasons.hpp>
#include "transport/mqtt/tls_context.hpp"

namespace ecp::inline v0::transport {

namespace {

constexpr int max_in_flight = 1'000;
constexpr int packets_at_once = 100;
// A dead path shows by what is sent on it, long before a keep-alive that spares a metered one.
constexpr unsigned unanswered_ms = 30'000;
constexpr int first_refusal = 0x80;  // Reason codes from here on say no.

MqttConnection& self_of(void* object) { return *static_cast<MqttConnection*>(object); }

std::mutex& library_mutex() {
  static std::mutex mutex;  // libmosquitto's own count is not guarded.
  return mutex;
}

Error mqtt_error(int code) {
  switch (code) {
    case MOSQ_ERR_NO_CONN:
    case MOSQ_ERR_CONN_LOST:
      return reasons::link_down;
    case MOSQ_ERR_OVERSIZE_PACKET:
    case MOSQ_ERR_PAYLOAD_SIZE:
      return {reasons::too_large, {{"size", "it"}, {"limit", "the broker takes"}}};
    case MOSQ_ERR_RETAIN_NOT_SUPPORTED:
      return {reasons::refused, {{"code", std::to_string(MQTT_RC_RETAIN_NOT_SUPPORTED)}}};
    default:
      return {ecp::reasons::unavailable, {{"what", "the broker"}}, mosquitto_strerror(code)};
  }
}

}  // namespace

std::shared_ptr<void> hold_mosquitto() {
  const std::lock_guard lock(library_mutex());
  mosquitto_lib_init();
  return std::shared_ptr<void>(nullptr, [](void*) {
    const std::lock_guard cleanup(library_mutex());
    mosquitto_lib_cleanup();
  });
}

MqttConnection::MqttConnection(MessageHandler on_message)
    : library_(hold_mosquitto()), on_message_(std::move(on_message)) {}

MqttConnection::~MqttConnection() {
  if (client_ && accepted_ && !lost_) {
    mosquitto_disconnect_v5(client_.get(), MQTT_RC_DISCONNECT_WITH_WILL_MSG, nullptr);
  }
}

void MqttConnection::set_callbacks() {
  mosquitto* client = client_.get();
  mosquitto_connect_v5_callback_set(client, [](mosquitto*, void* object, int code, int,
                                               const mosquitto_property* properties) {
    auto& self = self_of(object);
    self.connack_ = code;
    self.accepted_ = code == 0;
    // It says why a handshake failed; from now on it would be made a text for every packet.
    if (self.accepted_) mosquitto_log_callback_set(self.client_.get(), nullptr);
    std::uint32_t max_packet = 0;
    mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &max_packet, false);
    self.max_packet_ = max_packet;
  });
  mosquitto_disconnect_v5_callback_set(
      client, [](mosquitto*, void* object, int code, const mosquitto_property*) {
        self_of(object).lost_ = true;
        self_of(object).disconnect_reason_ = code;
      });
  mosquitto_message_callback_set(
      client, [](mosquitto*, void* object, const mosquitto_message* message) {
        self_of(object).on_message_(message->topic,
                                    {static_cast<const char*>(message->payload),
                                     static_cast<std::size_t>(std::max(message->payloadlen, 0))});
      });
  mosquitto_publish_v5_callback_set(
      client, [](mosquitto*, void* object, int id, int code, const mosquitto_property*) {
        auto node = self_of(object).publishing_.extract(id);
        if (!node.empty() && node.mapped()) node.mapped()(code);
      });
  mosquitto_subscribe_v5_callback_set(client, [](mosquitto*, void* object, int id, int count,
                                                 const int* granted, const mosquitto_property*) {
    auto node = self_of(object).subscribing_.extract(id);
    if (!node.empty() && node.mapped()) node.mapped()({granted, granted + count});
  });
  mosquitto_log_callback_set(client, [](mosquitto*, void* object, int level, const char* text) {
    if (level == MOSQ_LOG_ERR) self_of(object).tls_problem_ = text;
  });
}

Result<void> MqttConnection::set_tls(const Options& options, Time now) {
  auto context = make_tls_context(options.tls, options.broker.host, now, verdict_);
  if (!context) {
    tls_problem_ = context.error().message();
    return std::move(context).error();
  }
  mosquitto_int_option(client_.get(), MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
  mosquitto_void_option(client_.get(), MOSQ_OPT_SSL_CTX, context->get());  // Counts it for itself.
  return {};
}

Result<void> MqttConnection::connect(const Options& options, Time now) {
  client_.reset(mosquitto_new(options.client_id.c_str(), true, this));
  if (!client_) return Error(ecp::reasons::unavailable, {{"what", "memory for a connection"}});
  mosquitto* client = client_.get();
  set_callbacks();
  mosquitto_int_option(client, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client, MOSQ_OPT_RECEIVE_MAXIMUM, max_in_flight);
  mosquitto_int_option(client, MOSQ_OPT_SEND_MAXIMUM, max_in_flight);
  ECP_TRY_VOID(set_tls(options, now));
  if (options.will != nullptr) {
    const auto& will = *options.will;
    const int code =
        mosquitto_will_set_v5(client, will.topic.c_str(), static_cast<int>(will.payload.size()),
                              will.payload.data(), 1, will.retain, nullptr);
    if (code != 0) return mqtt_error(code);
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(options.keep_alive);
  const int code = mosquitto_connect_async(client, options.broker.host.c_str(), options.broker.port,
                                           static_cast<int>(seconds.count()));
  last_error_ = code;
  if (code != 0) return mqtt_error(code);
  return {};
}

bool MqttConnection::step(short happened) {
  if (!dialled_ && happened != 0) {
    int problem = 0;
    socklen_t size = sizeof problem;
    ::getsockopt(descriptor(), SOL_SOCKET, SO_ERROR, &problem, &size);
    if (problem != 0) {
      last_error_ = MOSQ_ERR_CONN_REFUSED;
      return false;
    }
    ::setsockopt(descriptor(), IPPROTO_TCP, TCP_USER_TIMEOUT, &unanswered_ms, sizeof unanswered_ms);
    dialled_ = true;
    happened = static_cast<short>(happened | POLLIN);  // Begins the TLS handshake.
  }
  int code = MOSQ_ERR_SUCCESS;
  if ((happened & (POLLIN | POLLHUP | POLLERR)) != 0) code = read_some();
  if (code == 0 && !lost_ && (happened & POLLOUT) != 0 && mosquitto_want_write(client_.get())) {
    code = mosquitto_loop_write(client_.get(), 1);
  }
  if (code == 0 && !lost_ && dialled_) code = mosquitto_loop_misc(client_.get());
  // Before the CONNACK libmosquitto takes a broken connection for one that is still being made.
  const bool broken = !accepted_ && (happened & (POLLHUP | POLLERR)) != 0;
  if (code == 0 && broken) code = MOSQ_ERR_CONN_LOST;
  if (code != 0) last_error_ = code;
  return code == 0 && !lost_ && descriptor() >= 0;
}

/// Packets that TLS has read ahead make no socket readable. Not all at once: a flood must not keep
/// us from writing.
int MqttConnection::read_some() {
  for (int packet = 0; packet < packets_at_once; ++packet) {
    errno = 0;
    const int code = mosquitto_loop_read(client_.get(), 1);
    const auto* tls = static_cast<const SSL*>(mosquitto_ssl_get(client_.get()));
    if (code != MOSQ_ERR_SUCCESS || lost_ || tls == nullptr) return code;
    read_ahead_ = SSL_has_pending(tls) == 1 && errno != EAGAIN;
    if (!read_ahead_) return code;
  }
  return MOSQ_ERR_SUCCESS;
}

int MqttConnection::descriptor() const { return mosquitto_socket(client_.get()); }

short MqttConnection::events() const {
  const bool writing = !dialled_ || mosquitto_want_write(client_.get());
  return static_cast<short>(POLLIN | (writing ? POLLOUT : 0));
}

LinkLoss MqttConnection::loss() const noexcept {
  if (!verdict_.empty()) return LinkLoss::untrusted;
  if (refused_) return LinkLoss::refused;
  const bool is_alert = tls_problem_.find("alert") != std::string::npos;
  if (is_alert || connack_ >= first_refusal || disconnect_reason_ == MQTT_RC_NOT_AUTHORIZED ||
      disconnect_reason_ == MQTT_RC_ADMINISTRATIVE_ACTION) {
    return LinkLoss::refused;
  }
  return LinkLoss::network;
}

std::string MqttConnection::problem() const {
  if (!verdict_.empty()) {
    return "it did not prove its identity: " + verdict_ + " (check the address and the clock)";
  }
  if (connack_ != 0) return mosquitto_reason_string(connack_);
  if (!tls_problem_.empty()) return tls_problem_;
  if (disconnect_reason_ >= first_refusal) return mosquitto_reason_string(disconnect_reason_);
  return mosquitto_strerror(last_error_ != 0 ? last_error_ : MOSQ_ERR_CONN_LOST);
}

bool MqttConnection::subscribe(const std::vector<std::string>& filters, int qos,
                               SubscribeHandler handler) {
  std::vector<char*> names;
  names.reserve(filters.size());
  for (const auto& filter : filters) names.push_back(const_cast<char*>(filter.c_str()));
  int id = 0;
  const int code = mosquitto_subscribe_multiple(client_.get(), &id, static_cast<int>(names.size()),
                                                names.data(), qos, 0, nullptr);
  if (code != 0) return false;
  subscribing_[id] = std::move(handler);
  return true;
}

Result<void> MqttConnection::publish(const std::string& topic, BytesView payload, int qos,
                                     bool retain, PublishHandler handler) {
  int id = 0;
  const int code =
      mosquitto_publish_v5(client_.get(), &id, topic.c_str(), static_cast<int>(payload.size()),
                           payload.data(), qos, retain, nullptr);
  if (code != 0) return mqtt_error(code);
  if (qos > 0) {
    publishing_[id] = std::move(handler);
  } else if (handler) {
    handler(0);
  }
  return {};
}

void MqttConnection::fail_pending() {
  const auto publishing = std::exchange(publishing_, {});
  for (const auto& waiting : publishing) {
    if (waiting.second) waiting.second(connection_lost);
  }
}

}  // namespace ecp::inline v0::transport
