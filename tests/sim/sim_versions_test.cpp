// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_versions.hpp"

#include <ecp/core/json.hpp>
#include <ecp/link/documents.hpp>

#include "support/results.hpp"

#include <doctest/doctest.h>

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using transport::ChannelKind;

link::TelemetryHead some_head() {
  link::TelemetryHead head;
  head.buffer_id = "buffer";
  head.stream = "stream";
  head.first = 7;
  head.last = 8;
  head.renumbered = 7;
  head.life = "life";
  return head;
}

TEST_SUITE("sim.versions") {
  TEST_CASE("a newer plane's acknowledgement has members that nobody knows and reads the same") {
    link::Ack ack;
    ack.stream = "alarm";
    ack.buffer_id = "buffer";
    ack.upto = 3;
    ack.ranges = {{5, 6}};
    ack.life = "life";
    ack.highest = 9;
    const auto text = as_written_by(SimVersion::newer, ChannelKind::ack, link::to_json(ack));
    CHECK(text.find("newer_members") != std::string::npos);
    CHECK(text.find(R"("v":2)") != std::string::npos);
    CHECK(link::to_json(must(link::parse_ack(text))) == link::to_json(ack));
  }

  TEST_CASE("a newer agent says more in each item of a journal") {
    link::AlarmBatch batch;
    batch.buffer_id = "buffer";
    batch.first = 1;
    batch.items.resize(2);
    batch.items.front().tag = batch.items.back().tag = "device/fast/level";
    const auto text = as_written_by(SimVersion::newer, ChannelKind::alarm, link::to_json(batch));
    const auto document = must(json::Document::parse(text));
    const auto items = document.root().find("items");
    REQUIRE(items.has_value());
    REQUIRE(items->size() == 2);
    CHECK(items->at(1).find("newer_members").has_value());
    CHECK(link::to_json(must(link::parse_alarm_batch(text))) == link::to_json(batch));
  }

  TEST_CASE("an older agent's telemetry knows neither runs nor numbers given anew") {
    const auto payload = link::encode_telemetry(some_head(), "samples");
    const auto older = as_written_by(SimVersion::older, ChannelKind::telemetry, payload);
    const auto [head, body] = must(link::decode_telemetry(older));
    CHECK(head.life.empty());
    CHECK(head.renumbered == 0);
    CHECK(head.last == 8);
    CHECK(body == "samples");
  }

  TEST_CASE("a newer agent's telemetry has the same samples behind a longer head") {
    const auto payload = link::encode_telemetry(some_head(), "samples");
    const auto newer = as_written_by(SimVersion::newer, ChannelKind::telemetry, payload);
    CHECK(newer.size() > payload.size());
    const auto [head, body] = must(link::decode_telemetry(newer));
    CHECK(link::encode_telemetry(head, body) == payload);
  }

  TEST_CASE("bodies of resources go down as they are, whatever version sends them") {
    link::SignedManifest manifest;
    manifest.key_id = "key";
    manifest.signature = Bytes(64, 's');
    manifest.bodies = {{"alarm-rules", "{}"}};
    const auto text =
        as_written_by(SimVersion::newer, ChannelKind::desired, link::to_json(manifest));
    CHECK(must(link::parse_signed_manifest(text)).bodies == manifest.bodies);
  }
}

}  // namespace
}  // namespace ecp_test
