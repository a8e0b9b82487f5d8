// SPDX-License-Identifier: Apache-2.0
#include "agent_world.hpp"

using ecp::link::CommandState;
using ecp::series::Value;
using ecp_test::AgentWorld;

namespace {

/// A world whose data tag has rules, and a service that runs.
struct Running : AgentWorld {
  explicit Running(const std::string& rules) {
    tag_rules = "," + rules;
    deploy();
    wait(100);
  }
  CommandState write_now(const std::string& value) {
    plane.send(write(value, ++number));
    wait(100);
    REQUIRE(!plane.results.empty());
    return plane.results.back().state;
  }
  [[nodiscard]] std::string reason() const { return plane.results.back().reason; }
  void cut() {
    network.cut(plane.agent);
    wait(0);
  }
  void heal() {
    network.heal(plane.agent);
    wait(120'000);
  }
  /// The newest event's name, or "".
  [[nodiscard]] std::string event() const {
    return plane.events.empty() ? "" : plane.events.back().name;
  }
  std::uint8_t number = 0;
};

const char* const cloud = R"("on_loss":{"cloud":{"after_ms":5000,"safe_value":20}})";
const char* const writer = R"("on_loss":{"writer":{"after_ms":5000,"safe_value":20}})";

}  // namespace

TEST_SUITE("agent.FaultActions") {
  TEST_CASE("the safe value is written when the cloud has been lost for the time, and then told") {
    Running world(cloud);
    world.cut();
    world.wait(4'999);
    CHECK(world.driver().writes.empty());

    world.wait(1);

    REQUIRE(world.driver().writes.size() == 1);
    CHECK(world.driver().writes[0].second == Value(std::int64_t{20}));
    world.heal();
    REQUIRE(world.plane.events.size() == 1);
    const auto& event = world.plane.events[0];
    CHECK(event.name == "agent.safe_value_written");
    CHECK(event.text.find("d/g/t of furnace: the cloud has been lost for 5000 ms") !=
          std::string::npos);
    CHECK(event.text.find("20") != std::string::npos);
  }

  TEST_CASE("a fault action runs once per loss, and again in the next") {
    Running world(cloud);
    world.cut();
    world.wait(60'000);
    CHECK(world.driver().writes.size() == 1);

    world.heal();
    world.wait(60'000);
    CHECK(world.driver().writes.size() == 1);
    world.cut();
    world.wait(5'000);

    CHECK(world.driver().writes.size() == 2);
  }

  TEST_CASE("a link that is back in time brings no fault action") {
    Running world(R"("on_loss":{"cloud":{"after_ms":300000,"safe_value":20}})");
    world.cut();
    world.wait(100'000);

    world.heal();
    world.wait(600'000);

    CHECK(world.driver().writes.empty());
    CHECK(world.plane.events.empty());
  }

  TEST_CASE("a loss goes on over a restart, and is dealt with once") {
    Running world(R"("on_loss":{"cloud":{"after_ms":150000,"safe_value":20}})");
    world.cut();
    world.wait(10'000);

    world.power_cut();  // Takes 100 s.
    CHECK(world.driver().writes.empty());
    world.wait(39'999);
    CHECK(world.driver().writes.empty());
    world.wait(1);
    CHECK(world.driver().writes.size() == 1);
    world.power_cut();
    world.wait(600'000);

    CHECK(world.driver().writes.empty());
    world.heal();
    CHECK(world.plane.events.size() == 1);
  }

  TEST_CASE("the writer is lost when he does not write again in time") {
    Running world(writer);
    world.wait(600'000);
    CHECK(world.driver().writes.empty());  // There was no writer yet.

    CHECK(world.write_now("50") == CommandState::done);
    world.wait(4'000);
    CHECK(world.write_now("50") == CommandState::done);
    world.wait(4'899);
    CHECK(world.driver().writes.size() == 2);
    world.wait(1);

    REQUIRE(world.driver().writes.size() == 3);
    CHECK(world.driver().writes[2].second == Value(std::int64_t{20}));
    world.wait(600'000);
    CHECK(world.driver().writes.size() == 3);
    CHECK(world.event() == "agent.safe_value_written");
  }

  TEST_CASE("a writer is expected again after a restart of the agent") {
    Running world(R"("on_loss":{"writer":{"after_ms":150000,"safe_value":20}})");
    CHECK(world.write_now("50") == CommandState::done);

    world.power_cut();
    world.wait(60'000);

    REQUIRE(world.driver().writes.size() == 1);
    CHECK(world.driver().writes[0].second == Value(std::int64_t{20}));
  }

  TEST_CASE("a safe value in force is told with the service until somebody writes again") {
    Running world(writer);
    world.write_now("50");
    world.wait(20'000);
    REQUIRE(world.plane.heartbeats.back().services.size() == 1);
    CHECK(world.plane.heartbeats.back().services[0].reason ==
          "agent.safe_value: d/g/t has its safe value 20 since its writer was lost");

    world.write_now("50");
    world.wait(4'000);

    CHECK(world.agent->status().services[0].reason.empty());
  }

  TEST_CASE("without a safe value the value is held, and that is told once") {
    Running world(R"("on_loss":{"writer":{"after_ms":5000}})");
    world.write_now("50");
    world.wait(60'000);

    CHECK(world.driver().writes.size() == 1);
    REQUIRE(world.plane.events.size() == 1);
    CHECK(world.event() == "agent.value_held");
  }

  TEST_CASE("a device that does not take its safe value is tried until it does, told twice") {
    Running world(writer);
    world.write_now("50");
    world.driver().write_problem = ecp::Error(ecp::pipeline::reasons::device_timeout);
    world.wait(30'000);
    CHECK(world.driver().writes.size() > 3);
    CHECK(world.plane.events.size() == 1);
    CHECK(world.event() == "agent.safe_value_failed");

    world.driver().write_problem.reset();
    world.wait(5'000);

    CHECK(world.plane.events.size() == 2);
    CHECK(world.event() == "agent.safe_value_written");
  }

  TEST_CASE("an event that cannot be kept lets the action run again") {
    Running world(writer);
    world.write_now("50");
    world.wait(4'000);
    world.driver().hold_writes = true;
    world.wait(1'000);
    world.faulty->fail_next_commit();
    world.driver().end_write(Value(20.0));
    world.driver().hold_writes = false;
    world.wait(10'000);

    CHECK(world.driver().writes.size() == 3);
    CHECK(world.plane.events.size() == 1);
  }

  TEST_CASE("writes that are off in the agent's file are off for safe values, too") {
    AgentWorld world;
    world.agent.reset();
    world.writes = false;
    world.boot();
    world.tag_rules = std::string(",") + cloud;
    world.deploy();
    world.wait(100);
    world.network.cut(world.plane.agent);
    world.wait(60'000);
    CHECK(world.driver().writes.empty());

    world.network.heal(world.plane.agent);
    world.wait(120'000);

    REQUIRE(world.plane.events.size() == 1);
    CHECK(world.plane.events[0].name == "agent.safe_value_refused");
    CHECK(world.plane.events[0].text.find("pipeline.writes_off") != std::string::npos);
  }

  TEST_CASE("a safe value is no step and need not wait, but the next writer must") {
    Running world(
        R"("max_step":5,"min_interval_ms":4000,"on_loss":{"writer":{"after_ms":5000,"safe_value":20}})");
    world.feed(80);
    CHECK(world.write_now("84") == CommandState::done);
    world.wait(5'000);
    CHECK(world.driver().writes.size() == 2);

    world.feed(20);

    CHECK(world.write_now("21") == CommandState::refused);
    CHECK(world.reason().find("pipeline.write_too_soon") == 0);
  }

  TEST_CASE("the least interval counts from the last write let through, over a restart, too") {
    Running world(R"("min_interval_ms":200000)");
    CHECK(world.write_now("50") == CommandState::done);
    CHECK(world.write_now("51") == CommandState::refused);
    CHECK(world.reason().find("pipeline.write_too_soon") == 0);

    world.power_cut();
    world.wait(60'000);
    CHECK(world.write_now("52") == CommandState::refused);
    world.wait(60'000);

    CHECK(world.write_now("53") == CommandState::done);
  }

  TEST_CASE("a step is judged from the value read last, and refused while there is none") {
    Running world(R"("max_step":5)");
    CHECK(world.write_now("50") == CommandState::refused);
    CHECK(world.reason().find("pipeline.write_step_unknown") == 0);

    world.feed(40);
    CHECK(world.write_now("45.1") == CommandState::refused);
    CHECK(world.reason().find("pipeline.write_step_too_large") == 0);
    CHECK(world.write_now("35") == CommandState::done);
    world.driver().feed({0, 0}, ecp::Error(ecp::pipeline::reasons::device_timeout));

    CHECK(world.write_now("40") == CommandState::refused);
    CHECK(world.driver().writes.size() == 1);
  }

  TEST_CASE("a configuration without the rule ends the watch") {
    Running world(writer);
    world.write_now("50");
    world.tag_rules.clear();
    world.plane.send(world.manifest(2, {{world.service_name, world.service_body()}}));

    world.wait(600'000);

    CHECK(world.driver().writes.empty());
    CHECK(world.plane.events.empty());
  }

  TEST_CASE("a safe value that no register holds is refused with its configuration") {
    AgentWorld world;
    world.tag_rules = R"(,"scale":1e-38,"on_loss":{"cloud":{"after_ms":5000,"safe_value":50}})";
    world.deploy();
    world.wait(1'000);

    REQUIRE(!world.plane.reported.empty());
    CHECK(world.plane.reported.back().resources.at(0).state == ecp::link::ResourceState::failed);
  }
}
