// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The one table of limits. Every reader of input from outside names its bound here.

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include <ecp/core/export.hpp>

namespace ecp::inline v0 {

inline constexpr std::size_t kibibyte = 1024;
inline constexpr std::size_t mebibyte = 1024 * kibibyte;

/// Bounds that no configuration changes; sizes in octets unless said otherwise.
namespace limits {
inline constexpr std::size_t name_length = 50;          ///< Characters of a name shown to people.
inline constexpr std::size_t description_length = 500;  ///< Characters.
inline constexpr std::size_t email_length = 254;        ///< RFC 5321.
inline constexpr std::size_t password_min = 15;         ///< Characters, without a second factor.
inline constexpr std::size_t password_max = 128;        ///< Characters.
inline constexpr std::int64_t page_size = 200;          ///< Rows of one page.
inline constexpr std::int64_t page_offset = 1'000'000;  ///< Rows skipped at most.
inline constexpr std::size_t json_depth = 32;           ///< Nested arrays and objects.
inline constexpr std::size_t json_document = 4 * mebibyte;
inline constexpr std::size_t config_file = 1 * mebibyte;
inline constexpr std::size_t http_header = 16 * kibibyte;  ///< All header lines of one request.
inline constexpr std::size_t http_target = 4 * kibibyte;   ///< Path and query.
inline constexpr std::size_t http_body = 1 * mebibyte;     ///< Body of a JSON request.
inline constexpr std::size_t idempotency_key = 200;        ///< Characters of that field.
inline constexpr std::size_t http_connections = 512;       ///< Open at once.
inline constexpr std::size_t http_response_read = 4 * mebibyte;  ///< What our client reads.
inline constexpr std::size_t sse_subscribers = 200;              ///< Event streams at once.
inline constexpr std::size_t sse_per_user = 20;                  ///< Of them, one user's.
inline constexpr std::size_t sse_backlog = 256;                ///< Events queued for a slow reader.
inline constexpr std::size_t mqtt_packet = 256 * kibibyte;     ///< max_packet_size of the broker.
inline constexpr std::size_t batch = 128 * kibibyte;           ///< One telemetry or report batch.
inline constexpr std::size_t manifest = 192 * kibibyte;        ///< One signed manifest message.
inline constexpr std::size_t inline_bodies = 32 * kibibyte;    ///< Resource bodies in a manifest.
inline constexpr std::size_t resource_body = 1 * mebibyte;     ///< One resource of a manifest.
inline constexpr std::size_t inbound_queue = 65'536;           ///< Messages a gateway holds.
inline constexpr std::size_t inbound_octets = 256 * mebibyte;  ///< And their payloads.
inline constexpr std::size_t outbound_queue = 1'000;           ///< Sends pending in an agent link.
inline constexpr std::size_t batches_in_flight = 8;            ///< Unacknowledged, per stream.
inline constexpr std::size_t link_document = 64 * kibibyte;    ///< Small documents of the link.
inline constexpr std::size_t journal_items = 1'000;            ///< Items of one report batch.
inline constexpr std::size_t number_ranges = 1'000;            ///< Ranges of one ack or batch head.
inline constexpr std::size_t manifest_resources = 1'000;       ///< Resources of one edge node.
inline constexpr std::size_t services_per_node = 999;          ///< Beside its alarm rules.
inline constexpr std::size_t service_config = 1'020 * kibibyte;  ///< In a resource with its name.
inline constexpr std::size_t link_addresses = 16;           ///< Brokers, URLs, keys of an agent.
inline constexpr std::size_t reason_text = 1'000;           ///< Characters of a reported reason.
inline constexpr std::size_t batch_samples = 5'000;         ///< Samples in one telemetry batch.
inline constexpr std::size_t sample_string = 1 * kibibyte;  ///< A string value.
inline constexpr std::size_t drivers_per_service = 256;
inline constexpr std::size_t groups_per_driver = 256;
inline constexpr std::size_t tags_per_service = 20'000;
inline constexpr std::size_t alarm_rules_per_project = 1'000;
inline constexpr std::size_t webhooks_per_project = 10;
inline constexpr std::size_t webhook_url = 1'000;       ///< Characters.
inline constexpr std::size_t webhook_secret_min = 16;   ///< Characters.
inline constexpr std::size_t webhook_secret_max = 128;  ///< Characters.
inline constexpr std::size_t commands_per_node = 100;   ///< Live effects of one edge node.
inline constexpr std::size_t organizations = 100;
inline constexpr std::size_t projects_per_organization = 100;
inline constexpr std::size_t edge_nodes = 100'000;    ///< Per control plane.
inline constexpr std::size_t history_points = 5'000;  ///< Points of one chart answer.
inline constexpr std::size_t enrollment_token_uses = 10'000;
}  // namespace limits

/// Bounds that a program may tighten or widen at composition.
struct Limits {
  std::size_t http_body = limits::http_body;
  std::size_t http_connections = limits::http_connections;
  std::size_t inbound_queue = limits::inbound_queue;
};

inline constexpr Limits default_limits{};

}  // namespace ecp::inline v0
