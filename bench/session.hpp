// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One MQTT session over mutual TLS, or plain on loopback, driven by the owner's poll loop. Needs
/// nothing but libmosquitto.

#include <mosquitto.h>

#include <cstdint>
#include <string>
#include <string_view>

namespace swarm {

/// Where a session goes and who it is.
struct Endpoint {
  std::string host;
  int port = 0;
  int keep_alive_s = 60;
  std::string client_id;
  std::string folder;          ///< Holds roots.pem, certificate.pem and key.pem.
  std::string user_name = {};  ///< Said on a plain listener, which asks for no proof.
  bool is_plain = false;
};

/// What the sessions of a process count together.
struct SessionCounts {
  std::uint64_t connected = 0;
  std::uint64_t sessions = 0;  ///< Connections that were accepted, ever.
  std::uint64_t refused = 0;
};

class Session {
 public:
  Session(Endpoint endpoint, SessionCounts& counts);
  virtual ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Begin a connection; false when it could not even be begun.
  bool connect();
  /// Read or write what the poll found.
  void work(bool readable, bool writable);
  /// Drop the socket without a word, as a power cut would.
  void reset();
  /// Called ten times a second.
  virtual void tick(std::int64_t) {}

  /// Descriptor to poll, or -1.
  [[nodiscard]] int descriptor() const { return mosquitto_socket(client_); }
  [[nodiscard]] bool wants_write() const { return mosquitto_want_write(client_); }
  [[nodiscard]] bool is_up() const { return up_; }

 protected:
  virtual void on_connecting() {}
  virtual void on_up() {}
  virtual void on_down() {}
  /// The broker answered a message of quality 1; from 0x10 on nobody took it.
  virtual void on_published(int) {}
  virtual void on_message(std::string_view topic, std::string_view payload) = 0;

  void subscribe(const std::string& filter);
  void publish(const std::string& topic, std::string_view payload, int quality);
  void set_will(const std::string& topic, const std::string& payload);
  void keep_alive() { mosquitto_loop_misc(client_); }

 private:
  void make_client();

  Endpoint endpoint_;
  SessionCounts& counts_;
  mosquitto* client_ = nullptr;
  bool up_ = false;
};

}  // namespace swarm
