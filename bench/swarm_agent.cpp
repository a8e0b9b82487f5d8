// SPDX-License-Identifier: Apache-2.0
#include "swarm_agent.hpp"

#include <algorithm>
#include <utility>

#include <ecp/core/env.hpp>
#include <ecp/pki/signature.hpp>

namespace swarm {
namespace {

namespace link = ecp::link;
constexpr int first_refusal = 0x10;  // Nobody is subscribed.
constexpr std::int64_t refused_wait_ms = 500;
constexpr std::int64_t unanswered_wait_ms = 5'000;

Endpoint endpoint_of(const link::LinkDocument& document, const std::string& folder) {
  const auto& broker = document.brokers.front();
  return {broker.host, broker.port, static_cast<int>(document.keep_alive.count() / 1000),
          document.agent.to_string(), folder};
}

}  // namespace

Agent::Agent(link::LinkDocument document, const std::string& folder, Totals& totals,
             ecp::Random& random)
    : Session(endpoint_of(document, folder), totals),
      document_(std::move(document)),
      prefix_("ecp/v1/agents/" + document_.agent.to_string() + "/"),
      totals_(totals),
      random_(random),
      buffer_id_("swarm-" + document_.agent.to_string()) {}

void Agent::tick(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (awaiting_ack_ && now_ms >= report_again_ms_) report();
  if (next_heartbeat_ms_ == 0) {  // The first ones of a swarm, spread over the interval.
    const auto interval = static_cast<std::uint64_t>(document_.heartbeat.count());
    next_heartbeat_ms_ = now_ms + static_cast<std::int64_t>(random_.below(interval));
  }
  if (now_ms < next_heartbeat_ms_) return;
  next_heartbeat_ms_ = now_ms + document_.heartbeat.count();
  keep_alive();
  send_heartbeat();
}

void Agent::send_heartbeat() {
  link::Heartbeat heartbeat;
  heartbeat.connection = connection_;
  heartbeat.version = "swarm";
  heartbeat.applied = applied_;
  heartbeat.manifest_sha256 = manifest_sha256_;
  heartbeat.time = ecp::system_clock().now();
  heartbeat.host = {0.1, 1'000'000'000, 500'000'000, 5'000'000'000};
  const auto text = link::to_json(heartbeat);
  totals_.state_octets = text.size();
  publish(prefix_ + "up/state", text, 0);
}

void Agent::on_connecting() {
  ++connection_;
  set_will(prefix_ + "up/presence", link::to_json(link::Presence{false, connection_, "swarm"}));
}

void Agent::on_up() {
  subscribe(prefix_ + "down/#");
  publish(prefix_ + "up/presence", link::to_json(link::Presence{true, connection_, "swarm"}), 1);
  send_heartbeat();
  if (awaiting_ack_ || report_due_) report();
}

void Agent::on_down() { next_heartbeat_ms_ = 0; }

/// As the real agent does: soon again when nobody took it.
void Agent::on_published(int code) {
  if (code < first_refusal || !awaiting_ack_) return;
  const auto wait = refused_wait_ms / 2 + static_cast<std::int64_t>(random_.below(refused_wait_ms));
  report_again_ms_ = std::min(report_again_ms_, now_ms_ + wait);
}

void Agent::on_message(std::string_view topic, std::string_view payload) {
  if (topic.ends_with("down/desired")) return take_manifest(payload);
  if (topic.ends_with("down/ack")) take_ack(payload);
}

void Agent::take_ack(std::string_view text) {
  const auto ack = link::parse_ack(text);
  if (!ack || ack->stream != "reported" || ack->upto < next_number_) return;
  totals_.ack_octets = text.size();
  next_number_ = ack->upto + 1;
  awaiting_ack_ = false;
  ++totals_.acknowledged;
  if (report_due_) report();
}

void Agent::take_manifest(std::string_view text) {
  ++totals_.bad_manifests;
  const auto signed_manifest = link::parse_signed_manifest(text);
  if (!signed_manifest) return;
  const std::string octets =
      std::string(link::manifest_signature_context) + signed_manifest->manifest;
  if (!ecp::pki::verify_signature(document_.manifest_keys.front().public_key, octets,
                                  signed_manifest->signature)) {
    return;
  }
  auto manifest = link::parse_manifest(signed_manifest->manifest);
  if (!manifest || manifest->agent != document_.agent) return;
  --totals_.bad_manifests;
  if (!(applied_ < manifest->generation)) return;
  ++totals_.manifests;
  totals_.manifest_octets = text.size();
  applied_ = manifest->generation;
  resources_ = std::move(manifest->resources);
  manifest_sha256_ = ecp::to_hex(ecp::sha256(signed_manifest->manifest));
  totals_.newest_generation = std::max(totals_.newest_generation, applied_.generation);
  probe();
  send_heartbeat();
}

void Agent::probe() {
  report_due_ = true;
  if (is_up() && !awaiting_ack_) report();
}

void Agent::report() {
  report_due_ = false;
  awaiting_ack_ = true;
  report_again_ms_ = now_ms_ + unanswered_wait_ms;
  link::ReportedItem item;
  item.generation = applied_;
  for (const auto& resource : resources_) {
    item.resources.push_back(
        {resource.name, resource.sha256, resource.sha256, link::ResourceState::applied, {}});
  }
  link::ReportedBatch batch;
  batch.buffer_id = buffer_id_;
  batch.first = next_number_;
  batch.items.push_back(std::move(item));
  const auto text = link::to_json(batch);
  totals_.report_octets = text.size();
  publish(prefix_ + "up/reported", text, 1);
}

}  // namespace swarm
