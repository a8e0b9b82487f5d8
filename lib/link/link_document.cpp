// SPDX-License-Identifier: Apache-2.0
#include "link/fields.hpp"

namespace ecp::inline v0::link {

namespace {

constexpr std::int64_t max_interval_ms = std::int64_t{24} * 3'600'000;
constexpr std::size_t public_key_size = 32;

Result<LinkDocument::Broker> read_broker(json::Reader& reader) {
  LinkDocument::Broker broker;
  ECP_TRY(broker.host, reader.text("host", {1, 255}));
  ECP_TRY(const auto port, reader.integer("port", 1, 65'535));
  broker.port = static_cast<std::uint16_t>(port);
  return broker;
}

Result<LinkDocument::ManifestKey> read_manifest_key(json::Reader& reader) {
  LinkDocument::ManifestKey key;
  ECP_TRY(key.key_id, reader.text("key_id", fields::word_bounds));
  ECP_TRY(const auto text, reader.text("public_key", {1, 64}));
  auto octets = from_base64(text);
  if (!octets || octets->size() != public_key_size) {
    return reader.bad("public_key", "is not an Ed25519 key in base64");
  }
  key.public_key = std::move(*octets);
  return key;
}

Result<std::vector<std::string>> read_urls(json::Reader& reader) {
  ECP_TRY(const auto values, reader.array_or_empty("https_urls", limits::link_addresses));
  std::vector<std::string> urls;
  for (const auto& value : values) {
    const auto url = value.get_string();
    if (url.substr(0, 8) != "https://" || url.size() > 512 || !is_clean_utf8(url)) {
      return reader.bad("https_urls", "holds something other than https URLs");
    }
    urls.emplace_back(url);
  }
  return urls;
}

}  // namespace

std::string to_json(const LinkDocument& document) {
  auto writer = fields::begin_document();
  writer.field("agent", document.agent.to_string()).key("brokers").begin_array();
  for (const auto& broker : document.brokers) {
    writer.begin_object().field("host", broker.host);
    writer.field("port", static_cast<std::int64_t>(broker.port)).end_object();
  }
  writer.end_array().key("https_urls").begin_array();
  for (const auto& url : document.https_urls) writer.value(url);
  writer.end_array().field("trust_roots_pem", document.trust_roots_pem);
  writer.key("manifest_keys").begin_array();
  for (const auto& key : document.manifest_keys) {
    writer.begin_object().field("key_id", key.key_id);
    writer.field("public_key", to_base64(key.public_key)).end_object();
  }
  writer.end_array();
  writer.field("heartbeat_ms", static_cast<std::int64_t>(document.heartbeat.count()));
  writer.field("keep_alive_ms", static_cast<std::int64_t>(document.keep_alive.count()));
  writer.field("reconnect_cap_ms", static_cast<std::int64_t>(document.reconnect_cap.count()));
  writer.field("server_time", to_ms(document.server_time));
  return fields::end_document(writer);
}

Result<LinkDocument> parse_link_document(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::link_document));
  auto& reader = parsed.reader();
  LinkDocument document;
  ECP_TRY(document.agent, reader.id<AgentId>("agent"));
  ECP_TRY(document.brokers, fields::read_items<LinkDocument::Broker>(
                                reader, "brokers", limits::link_addresses, read_broker));
  ECP_TRY(document.https_urls, read_urls(reader));
  ECP_TRY(document.trust_roots_pem, reader.raw_text("trust_roots_pem", limits::link_document));
  ECP_TRY(document.manifest_keys,
          fields::read_items<LinkDocument::ManifestKey>(reader, "manifest_keys",
                                                        limits::link_addresses, read_manifest_key));
  ECP_TRY(const auto heartbeat,
          reader.integer_or("heartbeat_ms", document.heartbeat.count(), 1'000, max_interval_ms));
  ECP_TRY(const auto keep_alive,
          reader.integer_or("keep_alive_ms", document.keep_alive.count(), 5'000, max_interval_ms));
  ECP_TRY(const auto reconnect_cap,
          reader.integer_or("reconnect_cap_ms", document.reconnect_cap.count(), 1'000,
                            document.reconnect_cap.count()));
  document.reconnect_cap = Milliseconds(reconnect_cap);
  document.heartbeat = Milliseconds(heartbeat);
  document.keep_alive = Milliseconds(keep_alive);
  ECP_TRY(document.server_time, fields::read_time(reader, "server_time"));
  return document;
}

}  // namespace ecp::inline v0::link
