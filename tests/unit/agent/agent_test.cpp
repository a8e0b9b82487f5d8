// SPDX-License-Identifier: Apache-2.0
#include "agent_world.hpp"

using ecp_test::AgentWorld;

TEST_SUITE("agent.Agent") {
  TEST_CASE("samples arrive in order, once, and the buffer is empty when they are acknowledged") {
    AgentWorld world;
    world.deploy();
    world.wait(100);

    for (int i = 0; i < 10; ++i) world.feed(i);

    REQUIRE(world.plane.samples.size() == 10);
    for (int i = 0; i < 10; ++i) {
      CHECK(world.plane.samples[static_cast<std::size_t>(i)].first == i + 1);
      CHECK(world.plane.samples[static_cast<std::size_t>(i)].second.value ==
            ecp::series::Value(static_cast<double>(i)));
    }
    CHECK(world.agent->status().buffered == 0);
  }

  TEST_CASE("samples of a cut wait, survive a power cut, and arrive without a gap") {
    AgentWorld world;
    world.deploy();
    world.wait(100);
    world.feed(0);
    world.network.cut(world.plane.agent);
    for (int i = 1; i <= 50; ++i) world.feed(i);
    CHECK(world.agent->status().buffered == 50);

    world.power_cut();
    CHECK(world.agent->status().buffered == 50);
    world.network.heal(world.plane.agent);
    world.wait(120'000);

    REQUIRE(world.plane.samples.size() == 51);
    for (std::size_t i = 0; i < 51; ++i) {
      CHECK(world.plane.samples[i].first == static_cast<std::int64_t>(i) + 1);
    }
    CHECK(world.plane.samples[10].second.late);
    CHECK_FALSE(world.plane.samples[0].second.late);
    CHECK(world.agent->status().buffered == 0);
  }

  TEST_CASE("what the plane does not acknowledge is sent again") {
    AgentWorld world;
    world.deploy();
    world.wait(100);
    world.plane.acknowledges = false;
    world.feed(1);
    CHECK(world.agent->status().buffered == 1);

    world.plane.acknowledges = true;
    world.wait(10'000);

    CHECK(world.plane.samples.size() == 1);
    CHECK(world.agent->status().buffered == 0);
  }

  TEST_CASE("a clean stop loses no sample that was read") {
    AgentWorld world;
    world.deploy();
    world.wait(100);
    world.network.cut(world.plane.agent);
    world.wait(100);
    world.driver().feed({0, 0}, ecp::series::Value(1.0));

    world.agent->stop();

    CHECK(world.agent->status().buffered == 1);
  }

  TEST_CASE("the connection counter rises with every connection, also over a restart") {
    AgentWorld world;
    world.wait(100);
    world.network.cut(world.plane.agent);
    world.wait(1'000);
    world.network.heal(world.plane.agent);
    world.wait(120'000);
    world.power_cut();
    world.wait(100);

    std::int64_t last = 0;
    int births = 0;
    for (const auto& presence : world.plane.presences) {
      if (!presence.up) continue;
      CHECK(presence.connection > last);
      last = presence.connection;
      ++births;
    }
    CHECK(births == 3);
    CHECK(world.plane.heartbeats.back().connection == last);
  }

  TEST_CASE("a heartbeat comes at once after connecting and within each interval") {
    AgentWorld world;
    world.wait(100);
    const auto first = world.plane.heartbeats.size();
    CHECK(first >= 1);

    world.wait(60'000);

    CHECK(world.plane.heartbeats.size() >= first + 4);
    CHECK(world.plane.heartbeats.size() <= first + 6);
  }

  TEST_CASE("asked for its state, it also says where its journals end") {
    AgentWorld world;
    world.deploy();
    world.wait(20'000);
    const auto before = world.plane.journal_ends;
    CHECK(world.plane.ask("state"));
    CHECK(world.plane.journal_ends == before + 3);
    world.wait(20'000);
    CHECK(world.plane.journal_ends == before + 3);
  }

  TEST_CASE("a heartbeat is a short one while nothing but vitals changes") {
    AgentWorld world;
    world.deploy();
    world.wait(20'000);
    CHECK_FALSE(world.plane.heartbeats.back().same.empty());
    const auto whole = ecp::link::parse_heartbeat(*world.plane.ask("state"));
    REQUIRE(whole);
    CHECK(whole->same.empty());
    CHECK(ecp::link::facts_of(*whole) == world.plane.heartbeats.back().same);

    const auto before = world.plane.heartbeats.size();
    world.wait(320'000);
    const auto is_whole = [](const ecp::link::Heartbeat& beat) { return beat.same.empty(); };
    const auto begin = world.plane.heartbeats.begin() + static_cast<std::ptrdiff_t>(before);
    CHECK(std::count_if(begin, world.plane.heartbeats.end(), is_whole) == 1);

    world.network.cut(world.plane.agent);
    world.network.heal(world.plane.agent);
    const auto births = world.plane.presences.size();
    const auto is_back = [&] {
      return world.plane.presences.size() > births && world.plane.presences.back().up;
    };
    for (int i = 0; i < 90 && !is_back(); ++i) world.wait(1'000);
    CHECK(world.plane.heartbeats.back().same.empty());
  }

  TEST_CASE("a service's trouble is told long before the next heartbeat is due") {
    AgentWorld world;
    world.deploy();
    world.wait(1'000);
    const auto before = world.plane.heartbeats.size();

    world.driver().feed_state(ecp::Error(ecp::pipeline::reasons::device_timeout));
    world.wait(500);

    REQUIRE(world.plane.heartbeats.size() == before + 1);
    const auto& beat = world.plane.heartbeats.back();
    REQUIRE(beat.services.size() == 1);
    CHECK(beat.services[0].state == ecp::link::ServiceState::failed);
    CHECK(beat.services[0].reason.find("pipeline.device_timeout") == 0);
  }

  TEST_CASE("samples that cannot be stored are told at once, and that they can be again") {
    AgentWorld world;
    world.deploy();
    world.feed(1.0);
    world.wait(1'000);
    world.faulty->fail_next_commit();
    world.feed(2.0);
    world.wait(500);

    const auto& beats = world.plane.heartbeats;
    REQUIRE(beats.back().services.size() == 1);
    CHECK(beats.back().services[0].state == ecp::link::ServiceState::degraded);
    CHECK(beats.back().services[0].reason.starts_with("storage."));
    world.wait(5'000);
    CHECK(beats.back().services[0].state == ecp::link::ServiceState::running);
    CHECK(world.plane.samples.size() == 2);
  }

  TEST_CASE("samples that a wrong clock has stamped say so") {
    AgentWorld world;
    world.plane.clock_offset = ecp::Milliseconds{60'000};
    world.power_cut();  // It asks when it connects, too.
    world.deploy();
    world.wait(100);
    world.feed(1.0);
    world.plane.clock_offset = {};
    world.wait(2 * 3'600'000);
    world.feed(2.0);
    world.wait(1'000);

    REQUIRE(world.plane.samples.size() == 2);
    CHECK(world.plane.samples[0].second.quality == ecp::series::Quality::uncertain_time);
    CHECK(world.plane.samples[1].second.quality == ecp::series::Quality::good);
  }

  TEST_CASE("the server is asked for its time again within two hours") {
    AgentWorld world;
    world.deploy();
    world.plane.clock_offset = ecp::Milliseconds{-60'000};  // Set back while the link is up.
    world.wait(2 * 3'600'000);

    auto command = world.write("50");
    command.expires_at += world.plane.clock_offset;  // In 30 s, by the control plane's clock.
    world.plane.send(command);
    world.wait(100);
    REQUIRE(world.plane.results.size() == 1);
    CHECK(world.plane.results[0].state == ecp::link::CommandState::done);
  }

  TEST_CASE("an alarm is judged without the cloud and told when it is back, once") {
    AgentWorld world;
    ecp::link::EdgeAlarmRule rule;
    rule.id = ecp::link::AlarmRuleId(ecp::IdBytes{3});
    rule.revision = 1;
    rule.service = world.service;
    rule.tag = "d/g/t";
    rule.threshold = 50;
    ecp::link::EdgeAlarmRules rules;
    rules.rules.push_back(rule);
    world.plane.send(world.manifest(1, {{world.service_name, world.service_body()},
                                        {"alarm-rules", ecp::link::to_json(rules)}}));
    world.wait(100);
    world.network.cut(world.plane.agent);
    world.feed(60);
    world.power_cut();
    world.feed(61);

    world.network.heal(world.plane.agent);
    world.wait(120'000);
    world.feed(20);

    REQUIRE(world.plane.transitions.size() == 2);
    CHECK(world.plane.transitions[0].raised);
    CHECK(world.plane.transitions[0].late);
    CHECK_FALSE(world.plane.transitions[1].raised);
  }
}
