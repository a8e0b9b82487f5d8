// SPDX-License-Identifier: Apache-2.0
#include "agent_world.hpp"

using ecp::link::CommandState;
using ecp_test::AgentWorld;

namespace {

/// A world whose service runs.
struct Running : AgentWorld {
  Running() {
    deploy();
    wait(100);
  }
  const ecp::link::CommandResult& result() {
    wait(100);
    REQUIRE(!plane.results.empty());
    return plane.results.back();
  }
};

}  // namespace

TEST_SUITE("agent.Commands") {
  TEST_CASE("a write is run and its read-back value reported") {
    Running world;

    world.plane.send(world.write("42.5"));

    const auto& result = world.result();
    CHECK(result.state == CommandState::done);
    CHECK(result.value_json == "42.5");
    REQUIRE(world.driver().writes.size() == 1);
    CHECK(world.driver().writes[0].second == ecp::series::Value(42.5));
  }

  TEST_CASE("a command that comes again answers its journaled result and runs once") {
    Running world;
    const auto command = world.write("42.5");
    world.plane.send(command);
    world.wait(100);
    world.plane.send(command);
    world.wait(100);
    CHECK(world.plane.results.size() == 2);

    world.power_cut();
    world.plane.send(command);
    world.wait(100);

    CHECK(world.plane.results.size() == 3);
    CHECK(world.plane.results.back().state == CommandState::done);
    CHECK(world.driver().writes.empty());
  }

  TEST_CASE("a refusal names the guard") {
    Running world;

    world.plane.send(world.write("101"));

    CHECK(world.result().state == CommandState::refused);
    CHECK(world.result().reason.find("pipeline.write_out_of_range") == 0);
    CHECK(world.driver().writes.empty());
  }

  TEST_CASE("an agent whose own file says off writes nothing") {
    Running world;
    world.writes = false;
    world.power_cut();
    world.wait(100);

    world.plane.send(world.write("50"));

    CHECK(world.result().state == CommandState::refused);
    CHECK(world.result().reason.find("pipeline.writes_off") == 0);
  }

  TEST_CASE("a command past its time by the server's clock is not run, whatever ours says") {
    Running world;
    const auto command = world.write("50");
    world.env.clock.step_wall(ecp::Milliseconds{-3'600'000});
    world.wait(31'000);

    world.plane.send(command);

    CHECK(world.result().state == CommandState::expired);
    CHECK(world.driver().writes.empty());
  }

  TEST_CASE("a command waits for the server's time and then runs") {
    Running world;
    world.plane.tells_time = false;
    world.power_cut();
    world.plane.send(world.write("50"));
    world.wait(6'000);
    CHECK(world.plane.results.empty());

    world.plane.tells_time = true;
    world.wait(10'000);

    CHECK(world.result().state == CommandState::done);
  }

  TEST_CASE("what was running when the agent ended is unknown and never runs again") {
    Running world;
    world.driver().hold_writes = true;
    const auto command = world.write("50");
    world.plane.send(command);
    world.wait(100);
    CHECK(world.plane.results.empty());

    world.power_cut();

    CHECK(world.result().state == CommandState::unknown);
    CHECK(world.result().reason.find("agent.interrupted") == 0);
    world.plane.send(command);
    CHECK(world.result().state == CommandState::unknown);
    CHECK(world.driver().writes.empty());
  }

  TEST_CASE("writes of one data tag come one after the other, each by what the one before left") {
    Running world;
    world.driver().hold_writes = true;
    for (std::uint8_t number = 1; number <= 3; ++number) {
      const auto command = world.write(std::to_string(10 * number), number);
      world.plane.send(command);
      world.plane.send(command);  // The control plane sends again what takes long.
    }
    world.wait(100);
    CHECK(world.driver().writes.size() == 1);

    for (const double value : {10.0, 20.0, 30.0}) {
      REQUIRE(world.driver().held.size() == 1);
      CHECK(ecp::series::to_json(world.driver().writes.back().second) ==
            std::to_string(static_cast<int>(value)));
      world.driver().end_write(ecp::series::Value(value));
      world.wait(100);
    }
    CHECK(world.driver().held.empty());
    REQUIRE(world.plane.results.size() == 3);
    for (const auto& result : world.plane.results) CHECK(result.state == CommandState::done);
  }

  TEST_CASE("a write that waited for another until its time was over expires") {
    Running world;
    world.driver().hold_writes = true;
    world.plane.send(world.write("10", 1));
    world.plane.send(world.write("20", 2));
    world.wait(31'000);
    world.driver().end_write(ecp::series::Value(10.0));
    world.wait(100);
    REQUIRE(world.plane.results.size() == 2);
    CHECK(world.plane.results[0].state == CommandState::done);
    CHECK(world.plane.results[1].state == CommandState::expired);
    CHECK(world.driver().writes.size() == 1);
  }

  TEST_CASE("a result that could not be kept at once is kept and told later, once") {
    Running world;
    world.driver().hold_writes = true;
    const auto command = world.write("50");
    world.plane.send(command);
    world.wait(100);
    world.faulty->fail_next_commit();
    world.driver().end_write(ecp::series::Value(50.0));
    world.wait(100);
    CHECK(world.plane.results.empty());

    world.plane.send(command);
    world.wait(3'000);

    REQUIRE(world.plane.results.size() == 1);
    CHECK(world.plane.results[0].state == CommandState::done);
    CHECK(world.driver().writes.size() == 1);
  }

  TEST_CASE("stop, start and restart act on the service") {
    Running world;
    auto command = world.write("", 2);
    command.action = "stop";
    world.plane.send(command);
    CHECK(world.result().state == CommandState::done);
    CHECK_FALSE(world.driver().is_running);

    world.plane.send(world.write("50", 3));
    CHECK(world.result().reason.find("pipeline.stopped") == 0);

    command.id = ecp::link::CommandId(ecp::IdBytes{9, 4});
    command.action = "start";
    world.plane.send(command);
    CHECK(world.result().state == CommandState::done);
    CHECK(world.driver().is_running);
  }

  TEST_CASE("only the verbs of the list exist [R25]") {
    Running world;
    auto command = world.write("", 2);
    command.action = "sh -c reboot";

    world.plane.send(command);

    CHECK(world.result().state == CommandState::refused);
    CHECK(world.result().reason.find("agent.unknown_action") == 0);
  }

  TEST_CASE("a command for a service that is not here is refused") {
    Running world;
    auto command = world.write("50");
    command.service = ecp::link::EdgeServiceId(ecp::IdBytes{77});

    world.plane.send(command);

    CHECK(world.result().reason.find("agent.unknown_service") == 0);
  }

  TEST_CASE("several data tags are written by one command, in its order, each with its result") {
    Running world;
    world.plane.send(world.manifest(2, {{world.service_name, world.two_tags_body()}}));
    world.wait(100);

    world.plane.send(world.write_tags({{"d/g/u", "7"}, {"d/g/t", "42.5"}}));

    const auto& result = world.result();
    CHECK(result.state == CommandState::done);
    CHECK(result.results ==
          std::vector<ecp::link::TagResult>{{"d/g/u", CommandState::done, "", "7"},
                                            {"d/g/t", CommandState::done, "", "42.5"}});
    REQUIRE(world.driver().writes.size() == 2);
    CHECK(world.driver().writes[0].first == ecp::pipeline::TagPlace{0, 1});
  }

  TEST_CASE("when a guard refuses one of several data tags, none is written") {
    Running world;
    world.plane.send(world.manifest(2, {{world.service_name, world.two_tags_body()}}));
    world.wait(100);

    world.plane.send(world.write_tags({{"d/g/u", "7"}, {"d/g/t", "101"}}));

    const auto result = world.result();
    CHECK(result.state == CommandState::refused);
    CHECK(result.reason.find("pipeline.write_out_of_range") == 0);
    CHECK(result.reason.find("(d/g/t)") != std::string::npos);
    CHECK(result.results.at(0).reason.find("pipeline.not_written") == 0);
    CHECK(world.driver().writes.empty());

    world.power_cut();
    world.plane.send(world.write_tags({{"d/g/u", "7"}, {"d/g/t", "101"}}));
    world.wait(100);
    CHECK(world.plane.results.back().results == result.results);
  }
}
