// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/link/documents.hpp>

#include "samples.hpp"

using namespace ecp;
using namespace ecp::tests;

namespace {

std::string golden_path(const std::string& name) {
  return std::string(ECP_GOLDEN_FOLDER) + "/" + name + ".json";
}

link::TelemetryHead telemetry_head() {
  link::TelemetryHead head;
  head.buffer_id = "b-0123";
  head.stream = fixed_id<link::EdgeServiceId>(2).to_string();
  head.first = 101;
  head.last = 150;
  head.floor = 90;
  head.dropped = {{91, 95}, {97, 97}};
  return head;
}

}  // namespace

TEST_SUITE("link.Documents") {
  TEST_CASE("every document is written as its golden file says, so that older peers can read it") {
    for (const auto& sample : document_samples()) {
      CAPTURE(sample.name);
      auto golden = read_file(golden_path(sample.name), limits::mqtt_packet);
      REQUIRE(golden);
      CHECK(sample.json + "\n" == *golden);
    }
  }

  TEST_CASE("every document that is read and written back is the same") {
    for (const auto& sample : document_samples()) {
      CAPTURE(sample.name);
      auto again = sample.read_back(sample.json);
      REQUIRE_MESSAGE(again, again.error().describe());
      CHECK(*again == sample.json);
    }
  }

  TEST_CASE("members and a version of a newer peer are read over") {
    for (const auto& sample : document_samples()) {
      CAPTURE(sample.name);
      const std::string newer = "{\"v\":9,\"colour\":{\"of\":[1,2]}," + sample.json.substr(7);
      auto again = sample.read_back(newer);
      REQUIRE_MESSAGE(again, again.error().describe());
      CHECK(*again == sample.json);
    }
  }

  TEST_CASE("a state that only a newer agent knows is shown as unknown, not refused") {
    auto text = document_samples()[2].json;
    const auto at = text.find("degraded");
    REQUIRE(at != std::string::npos);
    text.replace(at, 8, "hovering");

    auto heartbeat = link::parse_heartbeat(text);

    REQUIRE(heartbeat);
    CHECK(heartbeat->services[1].state == link::ServiceState::unknown);
  }

  TEST_CASE("a manifest whose resources are not sorted, or named twice, is refused") {
    link::Manifest manifest;
    manifest.agent = fixed_id<link::AgentId>(1);
    manifest.resources = {{"b", std::string(64, '0'), 1}, {"a", std::string(64, '0'), 1}};
    CHECK_FALSE(link::parse_manifest(to_json(manifest)));
    manifest.resources[1].name = "b";
    CHECK_FALSE(link::parse_manifest(to_json(manifest)));
  }

  TEST_CASE("a command's value is a plain value, never a structure") {
    link::Command command;
    command.id = fixed_id<link::CommandId>(4);
    command.action = "write";
    command.service = fixed_id<link::EdgeServiceId>(2);
    for (const auto* good : {"1", "-2.5", "true", "\"on\"", ""}) {
      command.value_json = good;
      auto parsed = link::parse_command(to_json(command));
      REQUIRE(parsed);
      CHECK(parsed->value_json == good);
    }
    for (const auto* bad : {"[1]", "{\"a\":1}"}) {
      command.value_json = bad;
      CHECK_FALSE(link::parse_command(to_json(command)));
    }
  }

  TEST_CASE("a telemetry batch keeps head and body apart, whatever octets the body has") {
    const Bytes body("\0\xff{\"v\":1}\0", 10);
    const Bytes payload = link::encode_telemetry(telemetry_head(), body);

    auto decoded = link::decode_telemetry(payload);

    REQUIRE(decoded);
    CHECK(decoded->second == body);
    CHECK(decoded->first.stream == telemetry_head().stream);
    CHECK(decoded->first.first == 101);
    CHECK(decoded->first.last == 150);
    CHECK(decoded->first.floor == 90);
    CHECK(decoded->first.dropped == telemetry_head().dropped);
  }

  TEST_CASE("a telemetry batch of too many samples or unordered gaps is refused") {
    auto head = telemetry_head();
    head.last = head.first + static_cast<std::int64_t>(limits::batch_samples);
    CHECK_FALSE(link::decode_telemetry(link::encode_telemetry(head, "")));
    head = telemetry_head();
    head.dropped = {{97, 97}, {91, 95}};
    CHECK_FALSE(link::decode_telemetry(link::encode_telemetry(head, "")));
    head.dropped = {{95, 91}};
    CHECK_FALSE(link::decode_telemetry(link::encode_telemetry(head, "")));
    head = telemetry_head();
    head.last = head.first - 1;
    CHECK(link::decode_telemetry(link::encode_telemetry(head, "")));
  }
}
