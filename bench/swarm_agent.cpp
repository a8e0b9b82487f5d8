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

constexpr std::uint64_t birth_wait_ms = 2'000;
constexpr std::int64_t vitals_ms = 300'000;
constexpr std::string_view call_folder = "/down/call/";
constexpr std::string_view service_resource = "service/";

Endpoint endpoint_of(const link::LinkDocument& document, const std::string& folder,
                     const Manner& manner) {
  const auto& broker = document.brokers.front();
  const auto keep_alive_s = static_cast<int>(document.keep_alive.count() / 1000);
  const auto name = document.agent.to_string();
  if (manner.plain_port != 0) {
    return {broker.host, manner.plain_port, keep_alive_s, name, folder, name, true};
  }
  return {broker.host, broker.port, keep_alive_s, name, folder};
}

}  // namespace

Agent::Agent(link::LinkDocument document, const std::string& folder, Totals& totals,
             ecp::Random& random, const Manner& manner)
    : Session(endpoint_of(document, folder, manner), totals),
      document_(std::move(document)),
      prefix_("ecp/v1/agents/" + document_.agent.to_string() + "/"),
      totals_(totals),
      random_(random),
      buffer_id_("swarm-" + document_.agent.to_string()),
      telemetry_(manner.tags, buffer_id_, random) {}

void Agent::tick(std::int64_t now_ms) {
  now_ms_ = now_ms;
  if (awaiting_ack_ && now_ms >= report_again_ms_) report();
  if (birth_again_ms_ != 0 && now_ms >= birth_again_ms_) tell_birth();
  send_telemetry();
  if (next_heartbeat_ms_ == 0) {  // The first ones of a swarm, spread over the interval.
    const auto interval = static_cast<std::uint64_t>(document_.heartbeat.count());
    next_heartbeat_ms_ = now_ms + static_cast<std::int64_t>(random_.below(interval));
  }
  if (now_ms < next_heartbeat_ms_) return;
  next_heartbeat_ms_ = now_ms + document_.heartbeat.count();
  keep_alive();
  send_heartbeat();
}

link::Heartbeat Agent::state() const {
  link::Heartbeat heartbeat;
  heartbeat.connection = connection_;
  heartbeat.version = "swarm";
  heartbeat.applied = applied_;
  heartbeat.manifest_sha256 = manifest_sha256_;
  heartbeat.time = ecp::system_clock().now();
  heartbeat.buffered = blasts_;
  heartbeat.host = {0.1, 1'000'000'000, 500'000'000, 5'000'000'000};
  return heartbeat;
}

/// As the real agent does: a short one while nothing but vitals changes, most of the time.
void Agent::send_heartbeat() {
  auto heartbeat = state();
  heartbeat.same = link::facts_of(heartbeat);
  if (heartbeat.same != told_facts_ || now_ms_ - told_ms_ >= vitals_ms) return tell_whole();
  publish(prefix_ + "up/state", link::to_json(heartbeat), 0);
}

void Agent::tell_whole() {
  const auto heartbeat = state();
  told_facts_ = link::facts_of(heartbeat);
  told_ms_ = now_ms_;
  const auto text = link::to_json(heartbeat);
  totals_.state_octets = text.size();
  publish(prefix_ + "up/state", text, 0);
}

/// A replica asks for the state: ".../down/call/<replica>/<call>".
void Agent::answer(std::string_view topic) {
  const auto call = topic.substr(topic.find(call_folder) + call_folder.size());
  const auto slash = call.find('/');
  if (slash == std::string_view::npos) return;
  publish(prefix_ + "to/" + std::string(call.substr(0, slash)) + "/result/" +
              std::string(call.substr(slash + 1)),
          link::to_json(link::Answer{link::to_json(state()), {}, {}}), 1);
}

void Agent::on_connecting() {
  ++connection_;
  ++totals_.connections;
  set_will(prefix_ + "up/presence", link::to_json(link::Presence{false, connection_, "swarm"}));
}

void Agent::on_up() {
  subscribe(prefix_ + "down/#");
  births_ = 0;
  tell_birth();
  tell_whole();
  if (awaiting_ack_ || report_due_) report();
}

void Agent::tell_birth() {
  birth_again_ms_ = 0;
  publish(prefix_ + "up/presence", link::to_json(link::Presence{true, connection_, "swarm"}), 1);
}

void Agent::on_down() {
  birth_again_ms_ = 0;
  next_heartbeat_ms_ = 0;
  telemetry_.link_lost();
}

/// As the real agent does: soon again when nobody took it.
void Agent::on_published(int code) {
  if (code < first_refusal) return;
  if (birth_again_ms_ == 0) {  // Whatever it was: what was not heard then was the birth, too.
    const auto bound = birth_wait_ms << std::min(births_++, 3U);
    birth_again_ms_ = now_ms_ + 250 + static_cast<std::int64_t>(random_.below(bound));
  }
  if (!awaiting_ack_) return;
  const auto wait = refused_wait_ms / 2 + static_cast<std::int64_t>(random_.below(refused_wait_ms));
  report_again_ms_ = std::min(report_again_ms_, now_ms_ + wait);
}

void Agent::on_message(std::string_view topic, std::string_view payload) {
  if (topic.ends_with("down/desired")) return take_manifest(payload);
  if (topic.ends_with("down/ack")) return take_ack(payload);
  if (topic.find(call_folder) != std::string_view::npos) answer(topic);
}

void Agent::take_ack(std::string_view text) {
  const auto ack = link::parse_ack(text);
  if (!ack) return;
  const auto stored = telemetry_.stored();
  if (telemetry_.take(*ack)) {
    totals_.samples_stored += telemetry_.stored() - stored;
    return;
  }
  if (ack->stream != "reported" || ack->upto < next_number_) return;
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
  for (const auto& resource : resources_) {
    if (!resource.name.starts_with(service_resource) || !telemetry_.stream().empty()) continue;
    telemetry_.set_stream(resource.name.substr(service_resource.size()));
    ++totals_.collecting;
  }
  manifest_sha256_ = ecp::to_hex(ecp::sha256(signed_manifest->manifest));
  totals_.newest_generation = std::max(totals_.newest_generation, applied_.generation);
  probe();
  send_heartbeat();
}

void Agent::probe() {
  report_due_ = true;
  if (is_up() && !awaiting_ack_) report();
}

void Agent::blast(int count) {
  for (int i = 0; i < count && is_up(); ++i, ++totals_.blasted) {
    ++blasts_;
    tell_whole();
  }
}

void Agent::send_telemetry() {
  const auto made = telemetry_.made();
  const auto payload = telemetry_.due(now_ms_);
  totals_.samples_made += telemetry_.made() - made;
  if (payload) publish(prefix_ + "up/telemetry/" + telemetry_.stream(), *payload, 1);
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
