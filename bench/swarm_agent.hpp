// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One simulated agent of the swarm: the real protocol, without a pipeline behind it.

#include <cstdint>
#include <string>
#include <vector>

#include <ecp/core/random.hpp>
#include <ecp/link/documents.hpp>

#include "session.hpp"
#include "swarm_telemetry.hpp"

namespace swarm {

/// What all agents of a process share and count.
struct Totals : SessionCounts {
  std::uint64_t manifests = 0;      ///< Accepted: greater pair, right agent, right signature.
  std::uint64_t bad_manifests = 0;  ///< Everything else that claimed to be one.
  std::uint64_t acknowledged = 0;   ///< Reported batches that the plane has taken.
  std::int64_t newest_generation = 0;
  std::size_t manifest_octets = 0;  ///< Of the newest message of each kind.
  std::size_t report_octets = 0;
  std::size_t state_octets = 0;
  std::size_t ack_octets = 0;
  std::uint64_t connections = 0;  ///< Sum of the agents' counters of connections.
  std::uint64_t blasted = 0;      ///< Statuses of `blast`.
  std::uint64_t collecting = 0;   ///< Agents that have an edge service.
  std::uint64_t samples_made = 0;
  std::uint64_t samples_stored = 0;
};

/// How the agents of a process differ from the product's.
struct Manner {
  int plain_port = 0;  ///< Of a listener without TLS; 0: mutual TLS as the plane says.
  int tags = 0;        ///< Collected once a second when an edge service is given.
};

/// Enrolled identity and its MQTT session, driven by the owner's poll loop.
class Agent final : public Session {
 public:
  Agent(ecp::link::LinkDocument document, const std::string& folder, Totals& totals,
        ecp::Random& random, const Manner& manner);

  void tick(std::int64_t now_ms) override;
  /// Report once more what is applied; the acknowledgement shows that the plane is there.
  void probe();
  /// Tell the state at once, some times; each with the next number as what is buffered.
  void blast(int count);

 private:
  void on_connecting() override;
  void on_up() override;
  void on_down() override;
  void on_published(int code) override;
  void on_message(std::string_view topic, std::string_view payload) override;
  void take_manifest(std::string_view text);
  void take_ack(std::string_view text);
  void report();
  ecp::link::Heartbeat state() const;
  void send_heartbeat();
  void tell_whole();
  void tell_birth();
  void answer(std::string_view topic);
  void send_telemetry();

  ecp::link::LinkDocument document_;
  std::string prefix_;
  Totals& totals_;
  ecp::Random& random_;
  std::int64_t connection_ = 0;
  std::int64_t now_ms_ = 0;
  std::int64_t next_heartbeat_ms_ = 0;
  std::int64_t birth_again_ms_ = 0;  ///< 0: it was heard, or is under way.
  unsigned births_ = 0;              ///< Tries of this connection.
  std::string told_facts_;
  std::int64_t told_ms_ = 0;  ///< When the last whole heartbeat was sent.
  std::int64_t report_again_ms_ = 0;
  ecp::link::Generation applied_;
  std::vector<ecp::link::ManifestResource> resources_;
  std::string manifest_sha256_;
  std::int64_t next_number_ = 1;  ///< Of the reported journal.
  bool awaiting_ack_ = false;
  bool report_due_ = false;
  std::string buffer_id_;
  std::int64_t blasts_ = 0;
  Telemetry telemetry_;
};

}  // namespace swarm
