// SPDX-License-Identifier: Apache-2.0
#include <array>

#include <ecp/core/reasons.hpp>

#include "link/fields.hpp"

namespace ecp::inline v0::link {

namespace {

constexpr std::array<std::string_view, 6> service_states{"unknown",  "starting", "running",
                                                         "degraded", "failed",   "stopped"};

Result<Heartbeat::Service> read_service(json::Reader& reader) {
  Heartbeat::Service service;
  ECP_TRY(service.id, reader.id<EdgeServiceId>("id"));
  ECP_TRY(const auto state, reader.text("state", fields::word_bounds));
  // A state that only a newer agent knows is shown as unknown.
  service.state = parse_service_state(state).value_or(ServiceState::unknown);
  ECP_TRY(auto reason, reader.optional_text("reason", fields::reason_bounds));
  service.reason = std::move(reason).value_or(std::string());
  return service;
}

Result<Heartbeat::Host> read_host(json::Reader& reader) {
  Heartbeat::Host host;
  ECP_TRY(auto found, reader.optional_object("host"));
  if (!found) return host;
  ECP_TRY(host.load_1m, found->number_or("load_1m", 0, 0, 1e9));
  ECP_TRY(host.memory_total, found->integer_or("memory_total", 0, 0, fields::max_number));
  ECP_TRY(host.memory_available, found->integer_or("memory_available", 0, 0, fields::max_number));
  ECP_TRY(host.disk_free, found->integer_or("disk_free", 0, 0, fields::max_number));
  return host;
}

}  // namespace

std::string_view to_string(ServiceState state) noexcept {
  return service_states[static_cast<std::size_t>(state) % service_states.size()];
}

Result<ServiceState> parse_service_state(std::string_view text) {
  for (std::size_t i = 0; i < service_states.size(); ++i) {
    if (service_states[i] == text) return static_cast<ServiceState>(i);
  }
  return Error(ecp::reasons::bad_text, {{"coding", "service state"}});
}

std::string to_json(const Presence& presence) {
  auto writer = fields::begin_document();
  writer.field("up", presence.up).field("connection", presence.connection);
  writer.field("version", presence.version);
  return fields::end_document(writer);
}

Result<Presence> parse_presence(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::link_document));
  auto& reader = parsed.reader();
  Presence presence;
  ECP_TRY(presence.up, reader.boolean("up"));
  ECP_TRY(presence.connection, reader.integer("connection", 0, fields::max_number));
  ECP_TRY(presence.version, reader.text("version", {0, limits::name_length}));
  return presence;
}

std::string facts_of(const Heartbeat& heartbeat) {
  constexpr std::size_t usual_facts = 256;
  constexpr std::size_t enough = 8;  // Of the digest's octets: nobody gains by a collision.
  std::string facts;
  facts.reserve(usual_facts);
  facts.append(std::to_string(heartbeat.connection)).append("\n").append(heartbeat.version);
  facts.append("\n").append(std::to_string(heartbeat.applied.epoch)).append(".");
  facts.append(std::to_string(heartbeat.applied.generation)).append("\n");
  facts.append(heartbeat.manifest_sha256);
  for (const auto& service : heartbeat.services) {
    facts.append("\n").append(service.id.to_string()).append(" ");
    facts.append(to_string(service.state)).append(" ").append(service.reason);
  }
  const auto digest = sha256(facts);
  return to_hex(BytesView(reinterpret_cast<const char*>(digest.data()), enough));
}

std::string to_json(const Heartbeat& heartbeat) {
  auto writer = fields::begin_document();
  if (!heartbeat.same.empty()) {
    writer.field("connection", heartbeat.connection).field("same", heartbeat.same);
    if (heartbeat.buffered != 0) writer.field("buffered", heartbeat.buffered);
    if (heartbeat.dropped != 0) writer.field("dropped", heartbeat.dropped);
    return fields::end_document(writer);
  }
  writer.field("connection", heartbeat.connection).field("version", heartbeat.version);
  fields::write_generation(writer, heartbeat.applied);
  writer.field("manifest_sha256", heartbeat.manifest_sha256);
  writer.field("time", to_ms(heartbeat.time)).field("buffered", heartbeat.buffered);
  writer.field("dropped", heartbeat.dropped).key("services").begin_array();
  for (const auto& service : heartbeat.services) {
    writer.begin_object().field("id", service.id.to_string());
    writer.field("state", to_string(service.state)).field("reason", service.reason).end_object();
  }
  writer.end_array().key("host").begin_object().field("load_1m", heartbeat.host.load_1m);
  writer.field("memory_total", heartbeat.host.memory_total);
  writer.field("memory_available", heartbeat.host.memory_available);
  writer.field("disk_free", heartbeat.host.disk_free).end_object();
  return fields::end_document(writer);
}

Result<Heartbeat> parse_heartbeat(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::batch));
  auto& reader = parsed.reader();
  Heartbeat heartbeat;
  ECP_TRY(heartbeat.connection, reader.integer("connection", 0, fields::max_number));
  ECP_TRY(heartbeat.buffered, reader.integer_or("buffered", 0, 0, fields::max_number));
  ECP_TRY(heartbeat.dropped, reader.integer_or("dropped", 0, 0, fields::max_number));
  ECP_TRY(auto same, reader.optional_text("same", fields::word_bounds));
  if (same) {
    heartbeat.same = std::move(*same);
    return heartbeat;
  }
  ECP_TRY(heartbeat.version, reader.text("version", {0, limits::name_length}));
  ECP_TRY(heartbeat.applied, fields::read_generation(reader));
  ECP_TRY(heartbeat.manifest_sha256, fields::read_digest(reader, "manifest_sha256", true));
  ECP_TRY(heartbeat.time, fields::read_time(reader, "time"));
  ECP_TRY(heartbeat.services, fields::read_items<Heartbeat::Service>(
                                  reader, "services", limits::services_per_node, read_service));
  ECP_TRY(heartbeat.host, read_host(reader));
  return heartbeat;
}

}  // namespace ecp::inline v0::link
