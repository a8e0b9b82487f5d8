// SPDX-License-Identifier: Apache-2.0
#include "samples.hpp"

namespace ecp::tests {

namespace {

using namespace link;

const Time instant = from_ms(1'795'254'000'123);
const std::string digest_a(64, 'a');
const std::string digest_b(64, 'b');

LinkDocument link_document() {
  LinkDocument document;
  document.agent = fixed_id<AgentId>(1);
  document.brokers = {{"plane.example", 8883}, {"10.0.0.2", 18883}};
  document.https_urls = {"https://plane.example:8443"};
  document.trust_roots_pem = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
  document.manifest_keys = {{"0123456789abcdef", Bytes(32, '\x07')}};
  document.server_time = instant;
  return document;
}

Heartbeat heartbeat() {
  Heartbeat beat;
  beat.connection = 7;
  beat.version = "0.1.0";
  beat.applied = {1, 42};
  beat.manifest_sha256 = digest_a;
  beat.time = instant;
  beat.buffered = 12;
  beat.dropped = 3;
  beat.services = {
      {fixed_id<EdgeServiceId>(2), ServiceState::running, ""},
      {fixed_id<EdgeServiceId>(3), ServiceState::degraded, "pipeline.unreachable: plc \"7\""}};
  beat.host = {0.25, 8'000'000'000, 4'000'000'000, 100'000'000'000};
  return beat;
}

Heartbeat short_heartbeat() {
  Heartbeat beat;
  beat.connection = 7;
  beat.same = facts_of(heartbeat());
  beat.buffered = 12;
  beat.dropped = 3;
  return beat;
}

Manifest manifest() {
  Manifest made;
  made.agent = fixed_id<AgentId>(1);
  made.generation = {1, 42};
  made.resources = {{"alarm-rules", digest_a, 120}, {"service/press-7", digest_b, 4'096}};
  return made;
}

SignedManifest signed_manifest() {
  SignedManifest made;
  made.manifest = to_json(manifest());
  made.key_id = "0123456789abcdef";
  made.signature = Bytes(64, '\x01');
  made.bodies = {{"alarm-rules", "{\"v\":1,\n\"rules\":[]}"}};
  return made;
}

ReportedBatch reported_batch() {
  ReportedBatch batch;
  batch.buffer_id = "b-0123";
  batch.first = 11;
  ReportedItem resources;
  resources.generation = {1, 42};
  resources.resources = {
      {"alarm-rules", digest_a, digest_a, ResourceState::applied, ""},
      {"service/press-7", digest_b, digest_a, ResourceState::failed, "core.bad_field: port"}};
  ReportedItem effect;
  effect.generation = {1, 42};
  CommandResult result;
  result.command = fixed_id<CommandId>(4);
  result.state = CommandState::done;
  result.value_json = "21.5";
  result.at = instant;
  effect.command = result;
  batch.items = {resources, effect};
  return batch;
}

AlarmBatch alarm_batch() {
  Transition transition;
  transition.rule = fixed_id<AlarmRuleId>(5);
  transition.rule_revision = 3;
  transition.service = fixed_id<EdgeServiceId>(2);
  transition.tag = "press/fast/temperature";
  transition.raised = true;
  transition.at = instant;
  transition.value = 91.25;
  transition.late = true;
  AlarmBatch batch;
  batch.buffer_id = "b-0123";
  batch.first = 4;
  batch.items = {transition};
  return batch;
}

EventBatch event_batch() {
  EventBatch batch;
  batch.buffer_id = "b-0123";
  batch.items = {{"agent.buffer_renewed", "the buffer's file was restored", instant}};
  batch.life = "00112233aabbccdd";
  return batch;
}

Ack ack() {
  Ack made;
  made.stream = fixed_id<EdgeServiceId>(2).to_string();
  made.buffer_id = "b-0123";
  made.upto = 5'000;
  made.ranges = {{5'010, 5'020}, {5'030, 5'030}};
  made.life = "00112233aabbccdd";
  made.highest = 6'000;
  return made;
}

Command command() {
  Command made;
  made.id = fixed_id<CommandId>(4);
  made.expires_at = instant;
  made.action = "write";
  made.service = fixed_id<EdgeServiceId>(2);
  made.tag = "press/fast/setpoint";
  made.value_json = "true";
  return made;
}

Command tags_command() {
  auto made = command();
  made.action = "write_tags";
  made.tag.clear();
  made.value_json.clear();
  made.writes = {{"press/fast/setpoint", "21.5"}, {"press/fast/run", "true"}};
  return made;
}

ReportedBatch tags_result() {
  CommandResult result;
  result.command = fixed_id<CommandId>(4);
  result.state = CommandState::failed;
  result.reason = "pipeline.device_timeout: the device did not answer in time (press/fast/run)";
  result.at = instant;
  result.results = {{"press/fast/setpoint", CommandState::done, "", "21.5"},
                    {"press/fast/run", CommandState::failed, "pipeline.device_timeout", ""}};
  ReportedItem item;
  item.generation = {1, 42};
  item.command = result;
  ReportedBatch batch;
  batch.buffer_id = "b-0123";
  batch.first = 13;
  batch.items = {item};
  return batch;
}

EdgeAlarmRules alarm_rules() {
  EdgeAlarmRule rule;
  rule.id = fixed_id<AlarmRuleId>(5);
  rule.revision = 3;
  rule.service = fixed_id<EdgeServiceId>(2);
  rule.tag = "press/fast/temperature";
  rule.threshold = 90;
  rule.hysteresis = 0.5;
  rule.hold = Milliseconds(2'000);
  EdgeAlarmRule below = rule;
  below.above = false;
  return {{rule, below}};
}

template <class Parse>
DocumentSample sample(std::string name, std::string json, Parse parse) {
  return {std::move(name), std::move(json), [parse](std::string_view text) -> Result<std::string> {
            auto parsed = parse(text);
            if (!parsed) return std::move(parsed).error();
            return to_json(*parsed);
          }};
}

}  // namespace

const std::vector<DocumentSample>& document_samples() {
  static const std::vector<DocumentSample> samples{
      sample("link_document", to_json(link_document()), parse_link_document),
      sample("presence", to_json(Presence{true, 7, "0.1.0"}), parse_presence),
      sample("heartbeat", to_json(heartbeat()), parse_heartbeat),
      sample("heartbeat_short", to_json(short_heartbeat()), parse_heartbeat),
      sample("manifest", to_json(manifest()), parse_manifest),
      sample("signed_manifest", to_json(signed_manifest()), parse_signed_manifest),
      sample("reported_batch", to_json(reported_batch()), parse_reported_batch),
      sample("alarm_batch", to_json(alarm_batch()), parse_alarm_batch),
      sample("event_batch", to_json(event_batch()), parse_event_batch),
      sample("ack", to_json(ack()), parse_ack),
      sample("command", to_json(command()), parse_command),
      sample("command_tags", to_json(tags_command()), parse_command),
      sample("reported_tags", to_json(tags_result()), parse_reported_batch),
      sample("question", to_json(Question{"server_time", "{\"a\":1}"}), parse_question),
      sample("answer", to_json(Answer{"{\"server_time\":5}", "", ""}), parse_answer),
      sample("answer_error", to_json(Answer{"null", "core.not_found", "there is no such node"}),
             parse_answer),
      sample("alarm_rules", to_json(alarm_rules()), parse_edge_alarm_rules)};
  return samples;
}

}  // namespace ecp::tests
