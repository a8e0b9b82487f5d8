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
};

/// Enrolled identity and its MQTT session, driven by the owner's poll loop.
class Agent final : public Session {
 public:
  Agent(ecp::link::LinkDocument document, const std::string& folder, Totals& totals,
        ecp::Random& random);

  void tick(std::int64_t now_ms) override;
  /// Report once more what is applied; the acknowledgement shows that the plane is there.
  void probe();

 private:
  void on_connecting() override;
  void on_up() override;
  void on_down() override;
  void on_published(int code) override;
  void on_message(std::string_view topic, std::string_view payload) override;
  void take_manifest(std::string_view text);
  void take_ack(std::string_view text);
  void report();
  void send_heartbeat();

  ecp::link::LinkDocument document_;
  std::string prefix_;
  Totals& totals_;
  ecp::Random& random_;
  std::int64_t connection_ = 0;
  std::int64_t now_ms_ = 0;
  std::int64_t next_heartbeat_ms_ = 0;
  std::int64_t report_again_ms_ = 0;
  ecp::link::Generation applied_;
  std::vector<ecp::link::ManifestResource> resources_;
  std::string manifest_sha256_;
  std::int64_t next_number_ = 1;  ///< Of the reported journal.
  bool awaiting_ack_ = false;
  bool report_due_ = false;
  std::string buffer_id_;
};

}  // namespace swarm
