// SPDX-License-Identifier: Apache-2.0
#include "agent_world.hpp"

using ecp::link::ResourceState;
using ecp_test::AgentWorld;

namespace {

bool is_running(AgentWorld& world) {
  const auto found = world.drivers->opened.find("d");
  return found != world.drivers->opened.end() && found->second->is_running;
}

}  // namespace

TEST_SUITE("agent.Reconciler") {
  TEST_CASE("a signed manifest is applied at once and reported per resource") {
    AgentWorld world;

    world.deploy();
    world.wait(100);

    CHECK(is_running(world));
    REQUIRE(!world.plane.reported.empty());
    const auto& item = world.plane.reported.back();
    CHECK(item.generation == ecp::link::Generation{1, 1});
    REQUIRE(item.resources.size() == 1);
    CHECK(item.resources[0].state == ResourceState::applied);
    CHECK(item.resources[0].applied_sha256 == item.resources[0].wanted_sha256);
    CHECK(world.agent->status().applied == ecp::link::Generation{1, 1});
  }

  TEST_CASE(
      "a manifest whose octets or signature were changed is refused before it is read [R32]") {
    AgentWorld world;
    auto changed = world.manifest(1, {{world.service_name, world.service_body()}});
    changed.manifest.back() = ' ';
    auto unsigned_one = world.manifest(1, {});
    unsigned_one.signature = std::string(64, '\0');
    auto unknown_key = world.manifest(1, {});
    unknown_key.key_id = "0123456789abcdef";
    const auto other = ecp::pki::SigningKey::generate();
    auto forged = world.manifest(1, {});
    forged.signature = other->sign("ecp-manifest-v1" + forged.manifest);
    auto bare = world.manifest(1, {});
    bare.signature = world.key.sign(bare.manifest);

    for (const auto& manifest : {changed, unsigned_one, unknown_key, forged, bare}) {
      world.plane.send(manifest);
    }
    world.wait(100);

    CHECK(world.agent->status().applied == ecp::link::Generation{});
    CHECK(world.drivers->opened.empty());
  }

  TEST_CASE("another agent's manifest is refused though its signature is good") {
    AgentWorld world;
    ecp::link::Manifest foreign;
    foreign.agent = ecp::link::AgentId(ecp::IdBytes{99});
    foreign.generation = {1, 5};

    world.plane.send(world.sign(foreign, {}));
    world.wait(100);

    CHECK(world.agent->status().applied == ecp::link::Generation{});
  }

  TEST_CASE("only a greater pair of epoch and generation is accepted") {
    AgentWorld world;
    world.plane.send(world.manifest(7, {{world.service_name, world.service_body()}}));
    world.plane.send(world.manifest(7, {}));
    world.plane.send(world.manifest(6, {}));
    world.wait(100);
    CHECK(is_running(world));

    ecp::link::Manifest restored;
    restored.agent = world.plane.agent;
    restored.generation = {2, 1};
    world.plane.send(world.sign(restored, {}));
    world.wait(100);

    CHECK(world.agent->status().applied == ecp::link::Generation{2, 1});
    CHECK_FALSE(is_running(world));
  }

  TEST_CASE("after a reboot without the cloud the agent runs what it was told last") {
    AgentWorld world;
    world.deploy();
    world.wait(100);
    world.network.cut(world.plane.agent);

    world.power_cut();

    CHECK(is_running(world));
    CHECK_FALSE(world.agent->status().linked);
    CHECK(world.agent->status().applied == ecp::link::Generation{1, 1});
  }

  TEST_CASE("a resource that fails is reported, the last good one stays, and it is tried once") {
    AgentWorld world;
    world.deploy();
    world.wait(100);

    world.plane.send(world.manifest(2, {{world.service_name, world.unknown_kind_body()}}));
    world.wait(100);

    CHECK(is_running(world));
    auto resource = world.plane.reported.back().resources.at(0);
    CHECK(resource.state == ResourceState::failed);
    CHECK(resource.applied_sha256 != resource.wanted_sha256);
    CHECK(resource.reason.find("kind.unknown_kind") != std::string::npos);
    world.power_cut();
    CHECK(is_running(world));
    world.plane.send(world.manifest(3, {{world.service_name, world.service_body()}}));
    world.wait(100);
    CHECK(world.plane.reported.back().resources.at(0).state == ResourceState::applied);
  }

  TEST_CASE("what could not be applied and reported at once is so a little later") {
    AgentWorld world;
    world.faulty->fail_second_commit();

    world.deploy();
    world.wait(100);
    CHECK(world.plane.reported.empty());
    world.wait(3'000);

    CHECK(is_running(world));
    REQUIRE(world.plane.reported.size() == 1);
    CHECK(world.plane.reported[0].resources.at(0).state == ResourceState::applied);
    world.power_cut();
    CHECK(is_running(world));
  }

  TEST_CASE("after a crash before it was noted, the newest version runs and no other before it") {
    AgentWorld world;
    world.deploy();
    world.wait(100);
    world.faulty->fail_second_commit();
    world.plane.send(world.manifest(2, {{world.service_name, world.service_body("e")}}));
    world.network.cut(world.plane.agent);

    world.power_cut();

    CHECK(world.drivers->opened.count("d") == 0);
    REQUIRE(world.drivers->opened.count("e") == 1);
    CHECK(world.driver("e").is_running);
    CHECK(world.agent->status().applied == ecp::link::Generation{1, 2});
  }

  TEST_CASE("what was good and fails after a reboot is reported, and tried at the next one") {
    AgentWorld world;
    world.deploy();
    world.wait(100);

    world.refuses_drivers = true;
    world.power_cut();
    world.wait(100);
    const auto& failed = world.plane.reported.back().resources.at(0);
    CHECK(failed.state == ResourceState::failed);
    CHECK(failed.reason.starts_with("pipeline.unknown_driver"));

    world.refuses_drivers = false;
    world.power_cut();
    world.wait(100);
    CHECK(is_running(world));
    CHECK(world.plane.reported.back().resources.at(0).state == ResourceState::applied);
  }

  TEST_CASE("after such a crash what was good runs when the newest version fails") {
    AgentWorld world;
    world.deploy();
    world.wait(100);
    world.faulty->fail_second_commit();
    world.plane.send(world.manifest(2, {{world.service_name, world.unknown_kind_body()}}));
    world.network.cut(world.plane.agent);

    world.power_cut();
    CHECK(is_running(world));
    world.power_cut();
    CHECK(is_running(world));
  }

  TEST_CASE("a thousand resources are reported in items of a hundred") {
    AgentWorld world;
    std::map<std::string, std::string> bodies;
    for (std::uint8_t i = 0; i < 250; ++i) {
      for (std::uint8_t j = 0; j < 4; ++j) {
        const ecp::link::EdgeServiceId service(ecp::IdBytes{6, i, j});
        bodies["service/" + service.to_string()] = "not here yet";
      }
    }
    auto manifest = world.manifest(1, bodies);
    manifest.bodies.clear();

    world.plane.send(manifest);
    world.wait(100);

    REQUIRE(world.plane.reported.size() == 10);
    for (const auto& item : world.plane.reported) {
      CHECK(item.generation == ecp::link::Generation{1, 1});
      CHECK(item.resources.size() == 100);
    }
  }

  TEST_CASE("a heartbeat carries the beginning of a long reason, whole characters of it") {
    AgentWorld world;
    world.deploy();
    world.wait(100);
    std::string context;
    while (context.size() < 3'000) context += "Ofen\xC3\xBC";

    world.driver().feed_state(
        ecp::Error(ecp::pipeline::reasons::device_unreachable, {{"problem", context}}));
    world.wait(1'000);

    REQUIRE(world.plane.heartbeats.back().services.size() == 1);
    const auto& reason = world.plane.heartbeats.back().services[0].reason;
    CHECK(reason.size() > 200);
    CHECK(reason.size() < 310);
    CHECK(ecp::is_clean_utf8(reason));
  }

  TEST_CASE("a body that does not have the manifest's hash is not applied") {
    AgentWorld world;
    auto swapped = world.manifest(1, {{world.service_name, world.service_body()}});
    swapped.bodies[world.service_name] = world.service_body("e");

    world.plane.send(swapped);
    world.wait(100);

    CHECK(world.drivers->opened.empty());
    CHECK(world.plane.reported.back().resources.at(0).state == ResourceState::pending);
  }

  TEST_CASE("a resource that is not in the manifest any more is stopped") {
    AgentWorld world;
    world.deploy();
    world.wait(100);

    world.plane.send(world.manifest(2, {}));
    world.wait(100);

    CHECK_FALSE(is_running(world));
    CHECK(world.agent->status().services.empty());
    world.power_cut();
    CHECK(world.drivers->opened.empty());
  }

  TEST_CASE("a plane that was restored is shown the manifest as it was signed") {
    AgentWorld world;
    world.deploy();
    world.wait(100);

    const auto answer = world.plane.ask("manifest");

    REQUIRE(answer);
    const auto shown = ecp::link::parse_signed_manifest(*answer);
    REQUIRE(shown);
    CHECK(ecp::pki::verify_signature(
        world.key.public_key(),
        std::string(ecp::link::manifest_signature_context) + shown->manifest, shown->signature));
    CHECK_FALSE(world.plane.ask("anything else"));
  }
}
