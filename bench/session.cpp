// SPDX-License-Identifier: Apache-2.0
#include "session.hpp"

#include <mqtt_protocol.h>
#include <sys/socket.h>

#include <utility>

namespace swarm {
namespace {

constexpr int in_flight = 1'000;  // As the product's own sessions.

Session& self_of(void* object) { return *static_cast<Session*>(object); }

}  // namespace

Session::Session(Endpoint endpoint, SessionCounts& counts)
    : endpoint_(std::move(endpoint)), counts_(counts) {
  make_client();
}

void Session::make_client() {
  mosquitto_destroy(client_);
  client_ = mosquitto_new(endpoint_.client_id.c_str(), true, this);
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_int_option(client_, MOSQ_OPT_RECEIVE_MAXIMUM, in_flight);
  mosquitto_int_option(client_, MOSQ_OPT_SEND_MAXIMUM, in_flight);
  const auto& folder = endpoint_.folder;
  if (endpoint_.is_plain) {
    mosquitto_username_pw_set(client_, endpoint_.user_name.c_str(), nullptr);
  } else {
    mosquitto_tls_set(client_, (folder + "/roots.pem").c_str(), nullptr,
                      (folder + "/certificate.pem").c_str(), (folder + "/key.pem").c_str(),
                      nullptr);
  }
  mosquitto_connect_callback_set(client_, [](mosquitto*, void* object, int code) {
    auto& self = self_of(object);
    if (code != 0) {
      ++self.counts_.refused;
      return;
    }
    self.up_ = true;
    ++self.counts_.connected;
    ++self.counts_.sessions;
    self.on_up();
  });
  mosquitto_disconnect_callback_set(client_, [](mosquitto*, void* object, int) {
    auto& self = self_of(object);
    if (!std::exchange(self.up_, false)) return;
    --self.counts_.connected;
    self.on_down();
  });
  mosquitto_publish_v5_callback_set(
      client_, [](mosquitto*, void* object, int, int code, const mosquitto_property*) {
        self_of(object).on_published(code);
      });
  mosquitto_message_callback_set(
      client_, [](mosquitto*, void* object, const mosquitto_message* message) {
        self_of(object).on_message(message->topic, {static_cast<const char*>(message->payload),
                                                    static_cast<std::size_t>(message->payloadlen)});
      });
}

Session::~Session() { mosquitto_destroy(client_); }

bool Session::connect() {
  make_client();  // As the product does: an old one would send the birth before again after the
                  // new.
  on_connecting();
  // A broker that is overrun drops SYNs: waiting here would hold up every other session.
  return mosquitto_connect_async(client_, endpoint_.host.c_str(), endpoint_.port,
                                 endpoint_.keep_alive_s) == MOSQ_ERR_SUCCESS;
}

void Session::work(bool readable, bool writable) {
  if (readable) mosquitto_loop_read(client_, 1);
  if (writable || mosquitto_want_write(client_)) mosquitto_loop_write(client_, 1);
}

void Session::reset() {
  const linger hard{1, 0};
  ::setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::shutdown(descriptor(), SHUT_RDWR);
}

void Session::subscribe(const std::string& filter) {
  mosquitto_subscribe(client_, nullptr, filter.c_str(), 1);
}

void Session::publish(const std::string& topic, std::string_view payload, int quality) {
  mosquitto_publish(client_, nullptr, topic.c_str(), static_cast<int>(payload.size()),
                    payload.data(), quality, false);
}

void Session::set_will(const std::string& topic, const std::string& payload) {
  mosquitto_will_clear(client_);
  mosquitto_will_set_v5(client_, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1,
                        false, nullptr);
}

}  // namespace swarm
