// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include "link/fields.hpp"

namespace ecp::inline v0::link {

namespace {

constexpr json::TextBounds resource_name_bounds{1, 128};

bool is_resource_name(std::string_view name) {
  return std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '/' ||
           c == '.';
  });
}

Result<ManifestResource> read_resource(json::Reader& reader) {
  ManifestResource resource;
  ECP_TRY(resource.name, reader.text("name", resource_name_bounds));
  if (!is_resource_name(resource.name)) return reader.bad("name", "is not a resource name");
  ECP_TRY(resource.sha256, fields::read_digest(reader, "sha256", false));
  ECP_TRY(resource.size,
          reader.integer("size", 0, static_cast<std::int64_t>(limits::resource_body)));
  return resource;
}

Result<Bytes> read_base64(json::Reader& reader, std::string_view name, std::size_t max_octets) {
  ECP_TRY(const auto text, reader.raw_text(name, (max_octets + 2) / 3 * 4));
  auto octets = from_base64(text);
  if (!octets) return reader.bad(name, "is not base64");
  return std::move(*octets);
}

Result<std::map<std::string, std::string>> read_bodies(json::Reader& reader) {
  std::map<std::string, std::string> bodies;
  const auto value = reader.optional_value("bodies");
  if (!value || value->is_null()) return bodies;
  if (!value->is_object() || value->size() > limits::manifest_resources) {
    return reader.bad("bodies", "is not an object of texts");
  }
  std::size_t total = 0;
  for (std::size_t i = 0; i < value->size(); ++i) {
    const auto member = value->member(i);
    if (!member.second.is_string()) return reader.bad("bodies", "is not an object of texts");
    const auto body = member.second.get_string();
    total += body.size();
    if (total > limits::inline_bodies) return reader.bad("bodies", "is too large");
    bodies.emplace(member.first, body);
  }
  return bodies;
}

}  // namespace

std::string to_json(const Manifest& manifest) {
  auto writer = fields::begin_document();
  writer.field("agent", manifest.agent.to_string());
  fields::write_generation(writer, manifest.generation);
  writer.key("resources").begin_array();
  for (const auto& resource : manifest.resources) {
    writer.begin_object().field("name", resource.name).field("sha256", resource.sha256);
    writer.field("size", resource.size).end_object();
  }
  writer.end_array();
  return fields::end_document(writer);
}

Result<Manifest> parse_manifest(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::manifest));
  auto& reader = parsed.reader();
  Manifest manifest;
  ECP_TRY(manifest.agent, reader.id<AgentId>("agent"));
  ECP_TRY(manifest.generation, fields::read_generation(reader));
  ECP_TRY(manifest.resources, fields::read_items<ManifestResource>(
                                  reader, "resources", limits::manifest_resources, read_resource));
  const auto unordered = std::adjacent_find(
      manifest.resources.begin(), manifest.resources.end(),
      [](const auto& left, const auto& right) { return left.name >= right.name; });
  if (unordered != manifest.resources.end()) {
    return reader.bad("resources", "is not sorted by name");
  }
  return manifest;
}

std::string to_json(const SignedManifest& signed_manifest) {
  auto writer = fields::begin_document();
  writer.field("manifest", to_base64(signed_manifest.manifest));
  writer.field("key_id", signed_manifest.key_id);
  writer.field("signature", to_base64(signed_manifest.signature)).key("bodies").begin_object();
  for (const auto& body : signed_manifest.bodies) writer.field(body.first, body.second);
  writer.end_object();
  return fields::end_document(writer);
}

Result<SignedManifest> parse_signed_manifest(std::string_view text) {
  ECP_TRY(auto parsed, fields::open_document(text, limits::mqtt_packet));
  auto& reader = parsed.reader();
  SignedManifest signed_manifest;
  ECP_TRY(signed_manifest.manifest, read_base64(reader, "manifest", limits::manifest));
  ECP_TRY(signed_manifest.key_id, reader.text("key_id", fields::word_bounds));
  ECP_TRY(signed_manifest.signature, read_base64(reader, "signature", 64));
  ECP_TRY(signed_manifest.bodies, read_bodies(reader));
  return signed_manifest;
}

}  // namespace ecp::inline v0::link
