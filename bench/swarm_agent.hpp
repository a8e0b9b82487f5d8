// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One simulated agent of the swarm: the real protocol, without a pipeline behind it.

#include <mosquitto.h>

#include <cstdint>
#include <string>

#include <ecp/link/documents.hpp>

namespace swarm {

/// What all agents of a process share and count.
struct Totals {
  std::uint64_t connected = 0;
  std::uint64_t sessions = 0;  ///< Connections that were accepted, ever.
  std::uint64_t refused = 0;
  std::uint64_t manifests = 0;      ///< Accepted: greater pair, right agent, right signature.
  std::uint64_t bad_manifests = 0;  ///< Everything else that claimed to be one.
  std::uint64_t acknowledged = 0;   ///< Reported batches that the plane has taken.
  std::int64_t newest_generation = 0;
};

/// Enrolled identity and its MQTT session, driven by the owner's poll loop.
class Agent {
 public:
  Agent(ecp::link::LinkDocument document, std::string folder, Totals& totals);
  ~Agent();
  Agent(const Agent&) = delete;
  Agent& operator=(const Agent&) = delete;

  /// Begin a connection; false when it could not even be begun.
  bool connect();
  /// Descriptor to poll, or -1.
  [[nodiscard]] int descriptor() const { return mosquitto_socket(client_); }
  [[nodiscard]] bool wants_write() const { return mosquitto_want_write(client_); }
  /// Read or write what the poll found, and send a heartbeat when it is due.
  void work(bool readable, bool writable, std::int64_t now_ms);
  /// Drop the socket without a word, as a power cut would.
  void reset();
  [[nodiscard]] bool is_up() const { return up_; }

 private:
  static void on_connect(mosquitto*, void* self, int code, int, const mosquitto_property*);
  static void on_disconnect(mosquitto*, void* self, int, const mosquitto_property*);
  static void on_message(mosquitto*, void* self, const mosquitto_message* message,
                         const mosquitto_property*);
  void take_manifest(std::string_view text);
  void report();
  void publish(const std::string& tail, const std::string& payload, int quality);

  ecp::link::LinkDocument document_;
  std::string folder_;
  std::string prefix_;
  Totals& totals_;
  mosquitto* client_ = nullptr;
  bool up_ = false;
  std::int64_t connection_ = 0;
  std::int64_t next_heartbeat_ms_ = 0;
  ecp::link::Generation applied_;
  std::vector<ecp::link::ManifestResource> resources_;
  std::string manifest_sha256_;
  std::int64_t next_number_ = 1;  ///< Of the reported journal.
  bool awaiting_ack_ = false;
  bool report_due_ = false;
  std::string buffer_id_;
};

}  // namespace swarm
