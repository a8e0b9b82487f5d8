// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The JSON documents of the agent link. Every document has a version member "v"; members that a
/// newer peer added are ignored, absent optional ones take the defaults below.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/link/ids.hpp>

namespace ecp::inline v0::link {

/// Version that this program writes into "v"; a document with a greater one is read all the same.
inline constexpr std::int64_t document_version = 1;

/// Where and how an agent reaches its control plane. Given at enrollment and renewal, and by
/// GET /agent/v1/link.
struct LinkDocument {
  struct Broker {
    std::string host;
    std::uint16_t port = 0;
  };
  struct ManifestKey {
    std::string key_id;
    Bytes public_key;  ///< Ed25519, 32 octets.
  };
  AgentId agent;
  std::vector<Broker> brokers;          ///< Tried in turn.
  std::vector<std::string> https_urls;  ///< "https://host:port"; tried in turn.
  std::string trust_roots_pem;          ///< One or more certificates.
  std::vector<ManifestKey> manifest_keys;
  Milliseconds heartbeat{15'000};
  Milliseconds keep_alive{30'000};
  Milliseconds reconnect_cap{60'000};  ///< Longest wait before the next try to connect.
  Time server_time;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const LinkDocument& document);
[[nodiscard]] ECP_EXPORT Result<LinkDocument> parse_link_document(std::string_view text);

/// Birth or will. A will counts only for the connection stored.
struct Presence {
  bool up = false;
  std::int64_t connection = 0;  ///< Counter, durable before each CONNECT.
  std::string version;          ///< Of the agent program.
};
[[nodiscard]] ECP_EXPORT std::string to_json(const Presence& presence);
[[nodiscard]] ECP_EXPORT Result<Presence> parse_presence(std::string_view text);

/// Which desired state: greater pairs replace smaller ones.
struct Generation {
  std::int64_t epoch = 0;
  std::int64_t generation = 0;
  friend auto operator<=>(const Generation&, const Generation&) = default;
};

/// State of an edge service as its agent sees it.
enum class ServiceState : std::uint8_t { unknown, starting, running, degraded, failed, stopped };
[[nodiscard]] ECP_EXPORT std::string_view to_string(ServiceState state) noexcept;
[[nodiscard]] ECP_EXPORT Result<ServiceState> parse_service_state(std::string_view text);

/// Heartbeat; enough by itself to rebuild presence, unless it is a short one.
struct Heartbeat {
  struct Service {
    EdgeServiceId id;
    ServiceState state = ServiceState::unknown;
    std::string reason;  ///< Symbol and text of what is wrong; empty when nothing is.
  };
  struct Host {
    double load_1m = 0;
    std::int64_t memory_total = 0;      ///< Octets.
    std::int64_t memory_available = 0;  ///< Octets.
    std::int64_t disk_free = 0;         ///< Octets, of the agent's data folder.
  };
  std::int64_t connection = 0;
  std::string version;
  Generation applied;           ///< Newest manifest accepted.
  std::string manifest_sha256;  ///< Hex of its exact octets; empty before the first.
  Time time;                    ///< The agent's wall clock.
  std::int64_t buffered = 0;    ///< Samples waiting for an acknowledgement.
  std::int64_t dropped = 0;     ///< Samples ever dropped because the buffer was full.
  std::vector<Service> services;
  Host host;
  /// Of a short one: facts_of() of an earlier heartbeat, which still holds; beside it only
  /// `connection`, `buffered` and `dropped` are told.
  std::string same;
};
/// Digest of what seldom changes in a heartbeat: connection, version, manifest and services.
[[nodiscard]] ECP_EXPORT std::string facts_of(const Heartbeat& heartbeat);
[[nodiscard]] ECP_EXPORT std::string to_json(const Heartbeat& heartbeat);
[[nodiscard]] ECP_EXPORT Result<Heartbeat> parse_heartbeat(std::string_view text);

/// One resource of a manifest: "service/svc_...", "alarm-rules".
struct ManifestResource {
  std::string name;
  std::string sha256;  ///< Hex, of the body.
  std::int64_t size = 0;
  friend bool operator==(const ManifestResource&, const ManifestResource&) = default;
};

/// What an edge node shall be. Signed as exact octets, never re-serialised.
struct Manifest {
  AgentId agent;  ///< A manifest of another agent is refused.
  Generation generation;
  std::vector<ManifestResource> resources;  ///< Sorted by name.
};
[[nodiscard]] ECP_EXPORT std::string to_json(const Manifest& manifest);
[[nodiscard]] ECP_EXPORT Result<Manifest> parse_manifest(std::string_view text);

/// Prefix of what is signed: this text followed by the manifest's octets.
inline constexpr std::string_view manifest_signature_context = "ecp-manifest-v1";

/// A manifest on its way.
struct SignedManifest {
  Bytes manifest;  ///< Exact octets of the manifest's JSON.
  std::string key_id;
  Bytes signature;  ///< Ed25519, 64 octets.
  /// Resource name to body, up to limits::inline_bodies.
  std::map<std::string, std::string> bodies;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const SignedManifest& signed_manifest);
[[nodiscard]] ECP_EXPORT Result<SignedManifest> parse_signed_manifest(std::string_view text);

/// How far one resource is.
enum class ResourceState : std::uint8_t { pending, applied, failed };
[[nodiscard]] ECP_EXPORT std::string_view to_string(ResourceState state) noexcept;
struct ReportedResource {
  std::string name;
  std::string wanted_sha256;
  std::string applied_sha256;  ///< Last good one, which stays in force when `wanted` failed.
  ResourceState state = ResourceState::pending;
  std::string reason;
};

/// How an effect ended.
enum class CommandState : std::uint8_t { pending, done, failed, refused, expired, unknown };
[[nodiscard]] ECP_EXPORT std::string_view to_string(CommandState state) noexcept;
[[nodiscard]] ECP_EXPORT Result<CommandState> parse_command_state(std::string_view text);
/// How the write of one data tag ended, of a command that writes several.
struct TagResult {
  std::string tag;  ///< "driver/group/tag".
  CommandState state = CommandState::unknown;
  std::string reason;
  std::string value_json;  ///< Read back, as JSON; empty when none.
  friend bool operator==(const TagResult&, const TagResult&) = default;
};
struct CommandResult {
  CommandId command;
  CommandState state = CommandState::unknown;
  std::string reason;      ///< "pipeline.write_out_of_range: ..."; names the guard of a refusal.
  std::string value_json;  ///< Value read back after a write, as JSON; empty when none.
  Time at;
  std::vector<TagResult> results;  ///< Of "write_tags", in the order of its writes.
};
[[nodiscard]] ECP_EXPORT std::string to_json(const std::vector<TagResult>& results);
[[nodiscard]] ECP_EXPORT Result<std::vector<TagResult>> parse_tag_results(std::string_view text);

/// A raise or a clear, numbered by its position in the alarm journal.
struct Transition {
  AlarmRuleId rule;
  std::int64_t rule_revision = 0;
  EdgeServiceId service;
  std::string tag;  ///< "driver/group/tag".
  bool raised = false;
  Time at;
  double value = 0;
  bool late = false;  ///< Reported after a cut of more than a minute.
};

/// Entry of the reported journal: the resources after a change, or the result of an effect.
struct ReportedItem {
  Generation generation;                    ///< The manifest that the resources belong to.
  std::vector<ReportedResource> resources;  ///< All of them, when any changed.
  std::optional<CommandResult> command;
};

/// Something worth telling once: {"name":"agent.buffer_renewed","text":"...","at":ms}.
struct AgentEvent {
  std::string name;
  std::string text;
  Time at;
};

/// One unacknowledged batch at a time of up/reported, up/alarm or up/event. Items are numbered
/// first, first + 1, ... within `buffer_id`; applied only at the receiver's cursor + 1.
template <class Item>
struct JournalBatch {
  std::string buffer_id;  ///< Random, made with the journal's file.
  std::int64_t first = 0;
  std::vector<Item> items;
  std::string life{};  ///< Random, of the agent's run that sends it; its answer says it again.
};
using ReportedBatch = JournalBatch<ReportedItem>;
using AlarmBatch = JournalBatch<Transition>;
using EventBatch = JournalBatch<AgentEvent>;
[[nodiscard]] ECP_EXPORT std::string to_json(const ReportedBatch& batch);
[[nodiscard]] ECP_EXPORT std::string to_json(const AlarmBatch& batch);
[[nodiscard]] ECP_EXPORT std::string to_json(const EventBatch& batch);
[[nodiscard]] ECP_EXPORT Result<ReportedBatch> parse_reported_batch(std::string_view text);
[[nodiscard]] ECP_EXPORT Result<AlarmBatch> parse_alarm_batch(std::string_view text);
[[nodiscard]] ECP_EXPORT Result<EventBatch> parse_event_batch(std::string_view text);

/// First and last number, both included.
using NumberRange = std::pair<std::int64_t, std::int64_t>;

/// Head of a telemetry batch: four octets little-endian length, this as JSON, then the samples in
/// the coding of series.
struct TelemetryHead {
  std::string buffer_id;
  std::string stream;      ///< Edge service id as text.
  std::int64_t first = 0;  ///< Number of the first sample in the body.
  std::int64_t last = 0;   ///< Of the last; last = first - 1 for an empty body.
  std::int64_t floor = 0;  ///< Numbers below are settled, whether they arrived or not.
  /// Settled without ever arriving, because the buffer was full.
  std::vector<NumberRange> dropped;
  /// Samples up to here had other numbers in an earlier buffer, under which they may be stored.
  std::int64_t renumbered = 0;
  std::string life{};  ///< As of a journal batch.
};
[[nodiscard]] ECP_EXPORT Bytes encode_telemetry(const TelemetryHead& head, BytesView body);
/// Return the head and the body's place in `payload`.
[[nodiscard]] ECP_EXPORT Result<std::pair<TelemetryHead, BytesView>> decode_telemetry(
    BytesView payload);

/// What the plane has durably taken, in answer to a batch. `stream` is an edge service id, or
/// "reported", "alarm", "event". It says nothing of numbers behind the batch: an agent whose disk
/// was put back gives those anew, and the plane may hold them from before; `highest` shows that.
struct Ack {
  std::string stream;
  std::string buffer_id;
  std::int64_t upto = 0;            ///< Everything up to here.
  std::vector<NumberRange> ranges;  ///< And these beyond.
  bool renew = false;  ///< The buffer_id is not trusted any more: make a new one, renumber, resend.
  std::string life{};  ///< Of the batch; meant for that run of the agent alone.
  /// Greatest number that the plane has, where that is beyond the batch.
  std::int64_t highest = 0;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const Ack& ack);
[[nodiscard]] ECP_EXPORT Result<Ack> parse_ack(std::string_view text);

inline constexpr std::size_t writes_per_command = 100;  ///< Data tags that one command writes.

/// A value wanted in a data tag.
struct TagWrite {
  std::string tag;         ///< "driver/group/tag".
  std::string value_json;  ///< A JSON number, boolean or string.
  friend bool operator==(const TagWrite&, const TagWrite&) = default;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const std::vector<TagWrite>& writes);
[[nodiscard]] ECP_EXPORT Result<std::vector<TagWrite>> parse_tag_writes(std::string_view text);

/// An effect on its way down.
struct Command {
  CommandId id;
  Time expires_at;     ///< Server time.
  std::string action;  ///< "write", "write_tags", "start", "stop", "restart".
  EdgeServiceId service;
  std::string tag;               ///< For "write".
  std::string value_json;        ///< For "write": a JSON number, boolean or string.
  std::vector<TagWrite> writes;  ///< For "write_tags": in this order, all or, when refused, none.
};
[[nodiscard]] ECP_EXPORT std::string to_json(const Command& command);
[[nodiscard]] ECP_EXPORT Result<Command> parse_command(std::string_view text);

/// Questions and answers of the call layer. The agent's "server_time" gets {"server_time": ms}.
struct Question {
  std::string method;
  std::string arguments_json = "{}";
};
[[nodiscard]] ECP_EXPORT std::string to_json(const Question& question);
[[nodiscard]] ECP_EXPORT Result<Question> parse_question(std::string_view text);
/// A result, or the reason (symbol) and message of a refusal.
struct Answer {
  std::string result_json = "null";  ///< Only when `reason` is empty.
  std::string reason;
  std::string message;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const Answer& answer);
[[nodiscard]] ECP_EXPORT Result<Answer> parse_answer(std::string_view text);

/// Threshold rule on a data tag, as the "alarm-rules" resource carries it.
struct EdgeAlarmRule {
  AlarmRuleId id;
  std::int64_t revision = 0;
  EdgeServiceId service;  ///< Nil: every service of the node that has the tag.
  std::string tag;        ///< "driver/group/tag".
  bool above = true;      ///< Raise when value > threshold, else when value < threshold.
  double threshold = 0;
  double hysteresis = 0;  ///< Clears at threshold - hysteresis (above) or + hysteresis.
  Milliseconds hold{0};   ///< The condition must hold this long before the raise ("for").
};
struct EdgeAlarmRules {
  std::vector<EdgeAlarmRule> rules;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const EdgeAlarmRules& rules);
[[nodiscard]] ECP_EXPORT Result<EdgeAlarmRules> parse_edge_alarm_rules(std::string_view text);

}  // namespace ecp::inline v0::link
