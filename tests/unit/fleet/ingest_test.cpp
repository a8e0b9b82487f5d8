// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

/// A node with a service and an agent that is connected.
struct Site {
  World world;
  EdgeNodeId id = world.add_node("press").id;
  Agent agent{world, id};
  EdgeServiceId service = world.add_service(id).id;
  std::int64_t stored() {
    return must(world.series->count({world.scope.project.bytes(), service.bytes()}));
  }
  void transitions(std::int64_t first, int count, const std::string& buffer = "journal-1") {
    link::AlarmBatch batch;
    batch.buffer_id = buffer;
    batch.first = first;
    for (int i = 0; i < count; ++i) {
      link::Transition transition;
      transition.rule = world.env_.ids.next<link::AlarmRuleId>();
      transition.service = service;
      transition.tag = "plc/fast/temperature";
      transition.at = world.now();
      batch.items.push_back(transition);
    }
    agent.send(transport::ChannelKind::alarm, link::to_json(batch));
  }
  std::vector<std::int64_t> applied() {
    std::vector<std::int64_t> numbers;
    for (const auto& one : world.recorder.transitions) numbers.push_back(one.number);
    return numbers;
  }
};

}  // namespace

TEST_SUITE("fleet.IngestEngine") {
  TEST_CASE("telemetry is acknowledged when stored, and a duplicate is acknowledged again") {
    Site site;
    site.agent.telemetry(site.service, 1, 5);
    site.agent.telemetry(site.service, 1, 5);
    REQUIRE(site.agent.acks.size() == 2);
    for (const auto& ack : site.agent.acks) {
      CHECK(ack.stream == site.service.to_string());
      CHECK(ack.buffer_id == "buffer-1");
      CHECK(ack.upto == 5);
    }
    CHECK(site.stored() == 5);
  }

  TEST_CASE("a batch ahead of a lost one is acknowledged as a range") {
    Site site;
    site.agent.telemetry(site.service, 1, 5);
    site.agent.telemetry(site.service, 11, 5);
    CHECK(site.agent.acks.back().upto == 5);
    CHECK(site.agent.acks.back().ranges == std::vector<link::NumberRange>{{11, 15}});
    site.agent.telemetry(site.service, 6, 5);
    CHECK(site.agent.acks.back().upto == 15);
    CHECK(site.agent.acks.back().ranges.empty());
  }

  TEST_CASE("what a removed service measured is settled, so that the agent forgets it") {
    Site site;
    const auto service = site.world.service(site.service);
    must(site.world.plane->services.remove(site.world.grant(), site.service, service.revision));
    site.agent.telemetry(site.service, 1, 5);
    REQUIRE(site.agent.acks.size() == 1);
    CHECK(site.agent.acks[0].upto == 5);
    CHECK(site.stored() == 0);
  }

  TEST_CASE("[R12] an agent cannot write values of a service on another node") {
    Site site;
    const auto other = site.world.add_node("other").id;
    Agent stranger(site.world, other);
    stranger.telemetry(site.service, 1, 5);
    CHECK(site.stored() == 0);
  }

  TEST_CASE("[R24] telemetry that makes no sense is dropped and the next is taken") {
    Site site;
    const auto stream = site.service.to_string();
    site.agent.send(transport::ChannelKind::telemetry, "", stream);
    site.agent.send(transport::ChannelKind::telemetry, std::string(300, '\xff'), stream);
    link::TelemetryHead head;
    head.buffer_id = "b";
    head.stream = stream;
    head.first = 1;
    head.last = 99;  // The body has none.
    site.agent.send(transport::ChannelKind::telemetry,
                    link::encode_telemetry(head, series::encode_samples({})), stream);
    CHECK(site.agent.acks.empty());
    site.agent.telemetry(site.service, 1, 5);
    CHECK(site.agent.acks.size() == 1);
  }

  TEST_CASE("values of batches are published to those who watch the project") {
    Site site;
    std::vector<std::string> heard;
    const auto watching =
        site.world.plane->live.subscribe(site.world.scope, [&](const platform::LiveEvent& event) {
          if (event.name == "value") heard.push_back(event.data_json);
        });
    site.agent.telemetry(site.service, 1, 5);
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].find("\"value\":5,") != std::string::npos);
    CHECK(heard[0].find(site.service.to_string()) != std::string::npos);
  }

  TEST_CASE("each transition is applied exactly once, whatever is sent twice") {
    Site site;
    site.transitions(1, 2);
    site.transitions(1, 2);
    site.transitions(2, 3);
    CHECK(site.applied() == std::vector<std::int64_t>{1, 2, 3, 4});
    CHECK(site.agent.acks.back().stream == "alarm");
    CHECK(site.agent.acks.back().upto == 4);
  }

  TEST_CASE("a journal batch beyond the cursor is not applied; the agent is told to renew") {
    Site site;
    site.transitions(1, 2);
    site.transitions(7, 2);
    CHECK(site.applied().size() == 2);
    CHECK(site.agent.acks.back().renew);
    site.transitions(1, 2, "journal-2");
    CHECK(site.applied() == std::vector<std::int64_t>{1, 2, 1, 2});
  }

  TEST_CASE("after a hole in a journal nothing more is stored from that buffer") {
    Site site;
    site.transitions(7, 2, "buffer-1");
    site.agent.telemetry(site.service, 1, 5);
    CHECK(site.agent.acks.back().renew);
    CHECK(site.stored() == 0);
  }

  TEST_CASE("a batch that fails moves no cursor and gets no acknowledgement") {
    Site site;
    site.world.recorder.fails = true;
    site.transitions(1, 2);
    CHECK(site.agent.acks.empty());
    site.world.recorder.fails = false;
    site.transitions(1, 2);
    CHECK(site.agent.acks.size() == 1);
    CHECK(site.applied().size() == 2);
  }

  TEST_CASE("an agent's events are in the audit log") {
    Site site;
    link::EventBatch batch;
    batch.buffer_id = "journal-1";
    batch.first = 1;
    batch.items.push_back({"agent.buffer_renewed", "the disk was full", site.world.now()});
    site.agent.send(transport::ChannelKind::event, link::to_json(batch));
    CHECK(site.world.audited().back() == "edge_node.event");
  }

  TEST_CASE("an agent learns the server's time by asking") {
    Site site;
    site.agent.send(transport::ChannelKind::question,
                    link::to_json(link::Question{"server_time", "{}"}), "call-1");
    REQUIRE(site.agent.answers.size() == 1);
    CHECK(site.agent.answers[0].find(std::to_string(to_ms(site.world.now()))) != std::string::npos);
  }
}
