// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

constexpr Milliseconds patience = 15 * second + 15 * second / 2 + 5 * second;

/// Let time pass with a heartbeat every 15 s.
void live(World& world, Agent& agent, Milliseconds time) {
  for (; time > Milliseconds(0); time -= 15 * second) {
    world.pass(std::min(time, 15 * second));
    agent.beat();
  }
}

}  // namespace

TEST_SUITE("fleet.PresenceEngine") {
  TEST_CASE("a node is online from its birth and offline at once by its will") {
    World world;
    const auto id = world.add_node("press").id;
    CHECK(world.node(id).status.state == ConnectionState::never);
    Agent agent(world, id);
    CHECK(world.node(id).status.state == ConnectionState::online);
    CHECK(world.node(id).status.version == "1.0");
    world.network.cut(id);
    world.run();
    const auto node = world.node(id);
    CHECK(node.status.state == ConnectionState::offline);
    CHECK_FALSE(node.status.absent);
    CHECK(world.recorder.absent.empty());
  }

  TEST_CASE("only silence longer than our patience makes a node absent, once") {
    World world;
    Agent agent(world, world.add_node("press").id);
    live(world, agent, 60 * second);
    world.network.cut(agent.id());
    world.pass(patience - 3 * second);
    CHECK(world.recorder.absent.empty());
    world.pass(5 * second);
    CHECK(world.recorder.absent == std::vector<EdgeNodeId>{agent.id()});
    CHECK(world.node(agent.id()).status.absent);
    world.pass(600 * second);
    CHECK(world.recorder.absent.size() == 1);
    world.network.heal(agent.id());
    live(world, agent, 120 * second);
    CHECK(world.recorder.returned == std::vector<EdgeNodeId>{agent.id()});
    CHECK(world.node(agent.id()).status.state == ConnectionState::online);
  }

  TEST_CASE("ten minutes without a control plane make nobody absent") {
    World world;
    std::vector<std::unique_ptr<Agent>> agents;
    for (int i = 0; i < 20; ++i) {
      agents.push_back(
          std::make_unique<Agent>(world, world.add_node("node " + std::to_string(i)).id));
      agents.back()->beat();
    }
    world.stop_plane();
    for (int i = 0; i < 40; ++i) {
      world.pass(15 * second);
      for (auto& agent : agents) agent->beat();
    }
    world.start_plane();
    for (int i = 0; i < 8; ++i) {
      world.pass(15 * second);
      for (auto& agent : agents) agent->beat();
    }
    CHECK(world.recorder.absent.empty());
    for (auto& agent : agents) {
      CHECK(world.node(agent->id()).status.state == ConnectionState::online);
    }
  }

  TEST_CASE("a control plane that stood still for ten minutes judges nobody by them") {
    World world;
    Agent agent(world, world.add_node("press").id);
    const auto gone = world.add_node("mill").id;
    { Agent other(world, gone); }
    live(world, agent, 10 * second);
    REQUIRE(world.recorder.absent.empty());
    world.stand_still(600 * second);
    live(world, agent, patience - 3 * second);
    CHECK(world.recorder.absent.empty());
    live(world, agent, 15 * second);
    CHECK(world.recorder.absent == std::vector<EdgeNodeId>{gone});
  }

  TEST_CASE("ten minutes without a broker make nobody absent, and all are back after it") {
    World world;
    Agent agent(world, world.add_node("press").id);
    live(world, agent, 30 * second);
    world.network.cut_all();
    world.pass(600 * second);
    world.network.heal_all();
    world.pass(20 * second);
    agent.beat();
    live(world, agent, 120 * second);
    CHECK(world.recorder.absent.empty());
    CHECK(world.node(agent.id()).status.state == ConnectionState::online);
  }

  TEST_CASE("an agent that died during our outage is absent after one patience of listening") {
    World world;
    auto agent = std::make_unique<Agent>(world, world.add_node("press").id);
    agent->beat();
    const auto id = agent->id();
    world.stop_plane();
    agent.reset();
    world.pass(600 * second);
    world.start_plane();
    world.pass(patience - 3 * second);
    CHECK(world.recorder.absent.empty());
    world.pass(5 * second);
    CHECK(world.recorder.absent == std::vector<EdgeNodeId>{id});
  }

  TEST_CASE("the will of an older connection changes nothing") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id);
    agent.beat();
    agent.send(transport::ChannelKind::presence,
               link::to_json(link::Presence{false, agent.connection_ - 1, "1.0"}));
    CHECK(world.node(id).status.state == ConnectionState::online);
  }

  TEST_CASE("a heartbeat alone is enough to rebuild presence and service states") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id);
    const auto service = world.add_service(id).id;
    agent.beat({1, 1}, {{service, link::ServiceState::running, ""}});
    CHECK(world.service(service).status.state == link::ServiceState::running);
    agent.beat({1, 1}, {{service, link::ServiceState::failed, "driver plc is gone"}});
    const auto found = world.service(service);
    CHECK(found.status.state == link::ServiceState::failed);
    CHECK(found.status.reason == "driver plc is gone");
    CHECK(world.recorder.service_states ==
          std::vector<link::ServiceState>{link::ServiceState::running, link::ServiceState::failed});
    CHECK(world.node(id).status.applied == link::Generation{1, 1});
  }

  TEST_CASE("short heartbeats alone keep a node online, with what it buffers") {
    World world;
    Agent agent(world, world.add_node("press").id);
    agent.beat();
    for (int i = 0; i < 40; ++i) {
      world.pass(15 * second);
      agent.beat_shortly(i);
    }
    world.pass(6 * second);
    const auto status = world.node(agent.id()).status;
    CHECK(status.state == ConnectionState::online);
    CHECK(status.buffered == 39);
    CHECK(world.now() - status.last_seen < 10 * second);
    CHECK(world.recorder.absent.empty());
    CHECK(agent.questions.empty());
  }

  TEST_CASE(
      "a control plane that does not know what a short heartbeat rests on asks for the whole") {
    World world;
    Agent agent(world, world.add_node("press").id);
    const auto service = world.add_service(agent.id()).id;
    agent.beat();
    world.stop_plane();
    world.start_plane();
    agent.beat_shortly();
    REQUIRE(agent.questions.size() == 1);
    CHECK(agent.questions[0].find("\"state\"") != std::string::npos);

    link::Heartbeat whole;
    whole.connection = agent.connection_;
    whole.version = "1.0";
    whole.services = {{service, link::ServiceState::running, ""}};
    agent.answer(link::to_json(whole));

    CHECK(world.service(service).status.state == link::ServiceState::running);
    whole.same = link::facts_of(whole);
    agent.send(transport::ChannelKind::state, link::to_json(whole));
    CHECK(agent.questions.size() == 1);
  }

  TEST_CASE("last-seen is written within five seconds, not with each heartbeat") {
    World world;
    Agent agent(world, world.add_node("press").id);
    agent.beat();
    world.pass(15 * second + second / 2);
    const auto before = world.node(agent.id()).status.last_seen;
    agent.beat();
    CHECK(world.node(agent.id()).status.last_seen == before);
    const auto heard = world.now();
    world.pass(6 * second);
    CHECK(world.node(agent.id()).status.last_seen == heard);
  }

  TEST_CASE("[R22] a birth whose counter is not above the stored one costs the agent its buffers") {
    World world;
    const auto id = world.add_node("press").id;
    auto agent = std::make_unique<Agent>(world, id, 10);
    const auto service = world.add_service(id).id;
    agent->telemetry(service, 1, 3);
    REQUIRE(agent->acks.size() == 1);
    CHECK(agent->acks[0].upto == 3);
    agent.reset();
    Agent clone(world, id, 4);  // The disk of an earlier day.
    clone.telemetry(service, 2, 3);
    REQUIRE(clone.acks.size() == 1);
    CHECK(clone.acks[0].renew);
    clone.telemetry(service, 1, 3, "buffer-2");
    CHECK(clone.acks.back().upto == 3);
    CHECK_FALSE(clone.acks.back().renew);
    CHECK(world.audited().back() == "edge_node.event");
  }

  TEST_CASE("[R22] an identity that two machines use in turn is told, a restored disk is not") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id, 10);
    const auto connect = [&](std::int64_t connection) {
      agent.send(transport::ChannelKind::presence,
                 link::to_json(link::Presence{true, connection, "1.0"}));
      world.pass(60 * second);
    };
    connect(4);
    CHECK(world.recorder.doubled.empty());  // A restored disk counts on from there.
    connect(5);
    connect(6);
    connect(7);
    CHECK(world.recorder.doubled.empty());

    connect(5);  // The other one is back.
    connect(8);
    connect(6);
    connect(9);
    CHECK(world.recorder.doubled.empty());
    connect(7);
    CHECK(world.recorder.doubled == std::vector{id});
    const auto& flips = world.node(id).status.flips;
    REQUIRE(flips.size() == identity_flips);
    CHECK(flips.back() == world.now() - 60 * second);
    CHECK(world.node(id).wanted == link::Generation{});
  }

  TEST_CASE("who was only silent comes back on its connection; after its end it is another disk") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id, 10);
    const auto say = [&](bool up) {
      agent.send(transport::ChannelKind::presence,
                 link::to_json(link::Presence{up, agent.connection_, "1.0"}));
    };
    const auto told = [&] {
      const auto names = world.audited();
      return std::count(names.begin(), names.end(), "edge_node.event");
    };
    world.pass(patience + 5 * second);
    REQUIRE(world.node(id).status.absent);

    SUBCASE("a silence") {
      say(true);
      CHECK(world.node(id).status.state == ConnectionState::online);
      CHECK(world.recorder.returned == std::vector{id});
      CHECK(told() == 0);
    }
    SUBCASE("a silence and the end") {
      say(false);
      say(true);
      CHECK(world.node(id).status.state == ConnectionState::online);
      CHECK(told() == 1);
      say(true);  // Delivered twice.
      CHECK(told() == 1);
      say(false);
      CHECK(world.node(id).status.state == ConnectionState::offline);
      say(true);
      CHECK(told() == 2);
    }
  }

  TEST_CASE("a machine whose disk is restored now and then is no doubled identity") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id, 10);
    for (int i = 0; i < 5; ++i) {
      agent.send(transport::ChannelKind::presence, link::to_json(link::Presence{true, 4, "1.0"}));
      agent.send(transport::ChannelKind::presence, link::to_json(link::Presence{false, 4, "1.0"}));
      world.pass(150 * second);
    }
    CHECK(world.recorder.doubled.empty());
  }

  TEST_CASE("[R15] what a revoked node sends is dropped, and its session ends") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id);
    const auto service = world.add_service(id).id;
    must(world.plane->nodes.revoke(world.grant(), id));
    world.run();
    CHECK(world.node(id).revoked);
    agent.telemetry(service, 1, 3);
    agent.beat();
    CHECK(agent.acks.empty());
    CHECK(world.node(id).status.state == ConnectionState::offline);
    CHECK(must(world.series->count({world.scope.project.bytes(), service.bytes()})) == 0);
  }

  TEST_CASE("the time an agent was dead shows as a gap, what it buffered in a cut does not") {
    World world;
    const auto id = world.add_node("press").id;
    auto agent = std::make_unique<Agent>(world, id);
    const auto service = world.add_service(id).id;
    world.pass(10 * second);
    agent->telemetry(service, 1, 10);
    world.network.cut(id);
    world.pass(30 * second);
    world.network.heal(id);
    world.pass(60 * second);
    agent->telemetry(service, 11, 90);
    const auto gaps = [&] {
      return must(world.plane->services.history(world.grant(), service, "plc/fast/temperature",
                                                from_ms(0), world.now() + second, 1))
          .gaps;
    };
    CHECK(gaps().empty());
    const auto connection = agent->connection_;
    const auto died = world.now();
    agent.reset();
    world.pass(40 * second);
    Agent again(world, id, connection);
    const auto back = world.now();
    world.pass(2 * second);
    again.telemetry(service, 101, 3);
    REQUIRE(gaps().size() == 1);
    CHECK(gaps()[0].from == died);
    CHECK(gaps()[0].to == back);
  }
}
