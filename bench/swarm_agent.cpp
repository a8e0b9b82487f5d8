// SPDX-License-Identifier: Apache-2.0
#include "swarm_agent.hpp"

#include <sys/socket.h>

#include <ecp/pki/signature.hpp>

namespace swarm {

namespace link = ecp::link;

Agent::Agent(link::LinkDocument document, std::string folder, Totals& totals)
    : document_(std::move(document)),
      folder_(std::move(folder)),
      prefix_("ecp/v1/agents/" + document_.agent.to_string() + "/"),
      totals_(totals),
      buffer_id_("swarm-" + document_.agent.to_string()) {
  client_ = mosquitto_new(document_.agent.to_string().c_str(), true, this);
  mosquitto_int_option(client_, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V5);
  mosquitto_int_option(client_, MOSQ_OPT_TCP_NODELAY, 1);
  mosquitto_connect_v5_callback_set(client_, on_connect);
  mosquitto_disconnect_v5_callback_set(client_, on_disconnect);
  mosquitto_message_v5_callback_set(client_, on_message);
  mosquitto_tls_set(client_, (folder_ + "/roots.pem").c_str(), nullptr,
                    (folder_ + "/certificate.pem").c_str(), (folder_ + "/key.pem").c_str(),
                    nullptr);
}

Agent::~Agent() { mosquitto_destroy(client_); }

bool Agent::connect() {
  ++connection_;
  const auto will = link::to_json(link::Presence{false, connection_, "swarm"});
  mosquitto_will_clear(client_);
  mosquitto_will_set_v5(client_, (prefix_ + "up/presence").c_str(), static_cast<int>(will.size()),
                        will.data(), 1, false, nullptr);
  const auto& broker = document_.brokers.front();
  const int keep_alive = static_cast<int>(document_.keep_alive.count() / 1000);
  return mosquitto_connect_bind_v5(client_, broker.host.c_str(), broker.port, keep_alive, nullptr,
                                   nullptr) == MOSQ_ERR_SUCCESS;
}

void Agent::work(bool readable, bool writable, std::int64_t now_ms) {
  if (readable) mosquitto_loop_read(client_, 1);
  if (writable || mosquitto_want_write(client_)) mosquitto_loop_write(client_, 1);
  if (!up_) return;
  if (next_heartbeat_ms_ == 0) {
    // The first one at once, the following spread evenly by the agent's place in the swarm.
    next_heartbeat_ms_ = now_ms + std::hash<std::string>{}(prefix_) %
                                      static_cast<std::size_t>(document_.heartbeat.count());
  } else if (now_ms < next_heartbeat_ms_) {
    return;
  } else {
    next_heartbeat_ms_ = now_ms + document_.heartbeat.count();
    mosquitto_loop_misc(client_);
  }
  link::Heartbeat heartbeat;
  heartbeat.connection = connection_;
  heartbeat.version = "swarm";
  heartbeat.applied = applied_;
  heartbeat.manifest_sha256 = manifest_sha256_;
  heartbeat.time = ecp::from_ms(now_ms);
  heartbeat.host = {0.1, 1'000'000'000, 500'000'000, 5'000'000'000};
  publish("up/state", link::to_json(heartbeat), 0);
}

void Agent::reset() {
  const linger hard{1, 0};
  ::setsockopt(descriptor(), SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
  ::shutdown(descriptor(), SHUT_RDWR);
}

void Agent::on_connect(mosquitto* client, void* self, int code, int, const mosquitto_property*) {
  auto& agent = *static_cast<Agent*>(self);
  if (code != 0) {
    ++agent.totals_.refused;
    return;
  }
  agent.up_ = true;
  ++agent.totals_.connected;
  ++agent.totals_.sessions;
  mosquitto_subscribe(client, nullptr, (agent.prefix_ + "down/#").c_str(), 1);
  agent.publish("up/presence", link::to_json(link::Presence{true, agent.connection_, "swarm"}), 1);
  agent.awaiting_ack_ = false;
  if (agent.report_due_) agent.report();
}

void Agent::on_disconnect(mosquitto*, void* self, int, const mosquitto_property*) {
  auto& agent = *static_cast<Agent*>(self);
  if (agent.up_) --agent.totals_.connected;
  agent.up_ = false;
  agent.next_heartbeat_ms_ = 0;
}

void Agent::on_message(mosquitto*, void* self, const mosquitto_message* message,
                       const mosquitto_property*) {
  auto& agent = *static_cast<Agent*>(self);
  const std::string_view topic(message->topic);
  const std::string_view text(static_cast<const char*>(message->payload),
                              static_cast<std::size_t>(message->payloadlen));
  if (topic.ends_with("down/desired")) return agent.take_manifest(text);
  if (!topic.ends_with("down/ack")) return;
  const auto ack = link::parse_ack(text);
  if (!ack || ack->stream != "reported" || ack->upto < agent.next_number_) return;
  agent.next_number_ = ack->upto + 1;
  agent.awaiting_ack_ = false;
  ++agent.totals_.acknowledged;
  if (agent.report_due_) agent.report();
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
  applied_ = manifest->generation;
  resources_ = std::move(manifest->resources);
  manifest_sha256_ = ecp::to_hex(ecp::sha256(signed_manifest->manifest));
  totals_.newest_generation = std::max(totals_.newest_generation, applied_.generation);
  report_due_ = true;
  if (!awaiting_ack_) report();
}

void Agent::report() {
  report_due_ = false;
  awaiting_ack_ = true;
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
  publish("up/reported", link::to_json(batch), 1);
}

void Agent::publish(const std::string& tail, const std::string& payload, int quality) {
  mosquitto_publish(client_, nullptr, (prefix_ + tail).c_str(), static_cast<int>(payload.size()),
                    payload.data(), quality, false);
}

}  // namespace swarm
