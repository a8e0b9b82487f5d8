// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <thread>

#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

link::Manifest open_manifest(const World& world, const link::SignedManifest& made) {
  REQUIRE(pki::verify_signature(world.key.public_key(),
                                std::string(link::manifest_signature_context) + made.manifest,
                                made.signature));
  return must(link::parse_manifest(made.manifest));
}

link::SignedManifest sign_manifest(const World& world, const link::Manifest& manifest) {
  link::SignedManifest made;
  made.manifest = link::to_json(manifest);
  made.key_id = world.key.key_id();
  made.signature = world.key.sign(std::string(link::manifest_signature_context) + made.manifest);
  return made;
}

/// A source that says when it is asked and answers when it is let go.
class SlowSource final : public DesiredSource {
 public:
  Result<std::vector<DesiredResource>> resources(storage::Transaction&, const EdgeNode&) override {
    asked.set_value();
    go_on.get_future().wait();
    // Time for a stop() that does not wait to show itself.
    stop_returned.get_future().wait_for(std::chrono::milliseconds(50));
    ended = true;
    return std::vector<DesiredResource>();
  }
  std::promise<void> asked;
  std::promise<void> go_on;
  std::promise<void> stop_returned;
  std::atomic<bool> ended = false;
};

}  // namespace

TEST_SUITE("fleet.DesiredEngine") {
  TEST_CASE("a new service reaches its connected agent at once, signed and with its body") {
    World world;
    Agent agent(world, world.add_node("press").id);
    const auto service = world.add_service(agent.id()).id;
    REQUIRE(agent.manifests.size() == 1);
    const auto manifest = open_manifest(world, agent.manifests[0]);
    CHECK(manifest.agent == agent.id());
    CHECK(manifest.generation == link::Generation{1, 1});
    REQUIRE(manifest.resources.size() == 1);
    const auto& resource = manifest.resources[0];
    CHECK(resource.name == resource_name(service));
    CHECK(to_hex(sha256(agent.manifests[0].bodies.at(resource.name))) == resource.sha256);
    CHECK(world.node(agent.id()).wanted == link::Generation{1, 1});
  }

  TEST_CASE("[R23] a node has as many services as its desired state can hold") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id);
    auto first = world.add_service(id, "0");
    must(world.store->write([&](storage::Transaction& transaction) -> Result<void> {
      for (std::size_t i = 1; i < limits::services_per_node - 1; ++i) {
        first.id = world.env().ids.next<EdgeServiceId>();
        first.name = std::to_string(i);
        ECP_TRY_VOID(transaction.get<EdgeServiceStore>().insert(first));
      }
      return {};
    }));
    world.add_service(id, "the last one");
    REQUIRE(must(link::parse_manifest(agent.manifests.back().manifest)).resources.size() ==
            limits::services_per_node);

    const auto more = world.plane->services.create(
        world.grant(), {"one more", id, "pipeline", "builtin", furnace_config});
    REQUIRE_FALSE(more);
    CHECK(more.error().is(ecp::reasons::over_limit));
  }

  TEST_CASE("[R23] a configuration that would not fit the desired state is refused") {
    World world;
    const auto service = world.add_service(world.add_node("press").id);
    const std::string padding(limits::service_config, ' ');
    const auto changed = world.plane->services.update(world.grant(), service.id, service.revision,
                                                      {{}, furnace_config + padding});
    REQUIRE_FALSE(changed);
    CHECK(changed.error().is(ecp::reasons::over_limit));
  }

  TEST_CASE("the generation rises only when the resources really changed") {
    World world;
    Agent agent(world, world.add_node("press").id);
    const auto service = world.add_service(agent.id());
    must(world.store->write([&](storage::Transaction& transaction) {
      return world.plane->desired.touch(transaction, agent.id());
    }));
    world.run();
    CHECK(agent.manifests.size() == 1);
    EdgeServiceRegistry::Changes changes;
    changes.name = "oven";
    must(world.plane->services.update(world.grant(), service.id, service.revision, changes));
    world.run();
    REQUIRE(agent.manifests.size() == 2);
    CHECK(open_manifest(world, agent.manifests[1]).generation == link::Generation{1, 2});
  }

  TEST_CASE("an agent whose heartbeat shows an older generation gets the manifest again") {
    World world;
    Agent agent(world, world.add_node("press").id);
    world.add_service(agent.id());
    agent.beat({0, 0});
    CHECK(agent.manifests.size() == 2);
    agent.beat({1, 1});
    CHECK(agent.manifests.size() == 2);
  }

  TEST_CASE("a change made while the agent was away reaches it after its return") {
    World world;
    const auto id = world.add_node("press").id;
    world.add_service(id);
    Agent agent(world, id);
    CHECK(agent.manifests.empty());
    agent.beat();
    CHECK(agent.manifests.size() == 1);
  }

  TEST_CASE("bodies that do not fit the message are fetched by hash, by this node alone") {
    World world;
    Agent agent(world, world.add_node("press").id);
    std::string tags;
    for (int i = 0; i < 1'000; ++i) {
      tags += (i > 0 ? "," : "") + std::string(R"({"name":"t)") + std::to_string(i) +
              R"(","address":"1!40000)" + std::to_string(1 + i % 9) + R"(","type":"uint16"})";
    }
    const auto config = R"({"drivers":[{"name":"plc","type":"modbus-tcp","host":"127.0.0.1",)"
                        R"("groups":[{"name":"g","interval_ms":1000,"tags":[)" +
                        tags + "]}]}]}";
    const auto service = must(world.plane->services.create(
        world.grant(), {"big", agent.id(), "pipeline", "builtin", config}));
    world.run();
    REQUIRE(agent.manifests.size() == 1);
    CHECK(agent.manifests[0].bodies.empty());
    const auto manifest = open_manifest(world, agent.manifests[0]);
    const auto& wanted = manifest.resources.at(0).sha256;
    CHECK(must(world.plane->desired.resource(agent.id(), wanted)) == resource_body(service));
    const auto other = world.add_node("other").id;
    CHECK(failure(world.plane->desired.resource(other, wanted)) == "core.not_found");
  }

  TEST_CASE("[R38] a restored database takes the epoch after the one an agent proves") {
    World world;
    Agent agent(world, world.add_node("press").id);
    world.add_service(agent.id());
    link::Manifest ahead;
    ahead.agent = agent.id();
    ahead.generation = {3, 40};
    const auto proof = sign_manifest(world, ahead);

    auto forged = proof;
    forged.signature[0] = static_cast<char>(forged.signature[0] ^ 1);
    CHECK_FALSE(must(world.plane->desired.adopt(agent.id(), forged)));
    CHECK(world.audited().back() == "edge_node.manifest_ahead:denied");
    CHECK(world.node(agent.id()).wanted == link::Generation{1, 1});

    agent.beat({3, 40});
    CHECK(agent.questions.size() == 1);  // It is asked to show the manifest.
    CHECK(must(world.plane->desired.adopt(agent.id(), proof)));
    world.run();
    CHECK(world.node(agent.id()).wanted == link::Generation{4, 1});
    CHECK(open_manifest(world, agent.manifests.back()).generation == link::Generation{4, 1});
    CHECK_FALSE(must(world.plane->desired.adopt(agent.id(), proof)));
  }

  TEST_CASE("[R38] another manifest of the same number proves a restored database, too") {
    World world;
    Agent agent(world, world.add_node("press").id);
    world.add_service(agent.id());
    REQUIRE(agent.manifests.size() == 1);
    const auto known = agent.manifests[0];
    agent.beat({1, 1}, {}, to_hex(sha256(known.manifest)));
    CHECK(agent.questions.empty());
    CHECK_FALSE(must(world.plane->desired.adopt(agent.id(), known)));

    auto other = open_manifest(world, known);
    other.resources.clear();
    const auto proof = sign_manifest(world, other);
    agent.beat({1, 1}, {}, to_hex(sha256(proof.manifest)));
    CHECK(agent.questions.size() == 1);  // It is asked to show the manifest.
    agent.beat({1, 1}, {}, to_hex(sha256(proof.manifest)));
    world.pass(Milliseconds(1'000));  // Heartbeats that say nothing new are judged together.
    CHECK(agent.questions.size() == 2);
    CHECK(must(world.plane->desired.adopt(agent.id(), proof)));
    world.run();
    CHECK(open_manifest(world, agent.manifests.back()).generation == link::Generation{2, 1});
    CHECK_FALSE(must(world.plane->desired.adopt(agent.id(), proof)));
  }

  TEST_CASE("[R38] a restore is recorded once and ends all enrollment tokens made before") {
    World world;
    Agent press(world, world.add_node("press").id);
    Agent mill(world, world.add_node("mill").id);
    EnrollmentTokenRegistry tokens(*world.store, "system", world.recorder, world.env());
    const auto make = [&] {
      return must(tokens.create(world.grant(), {"line 1", 1, longest_token_life})).token.id;
    };
    const auto is_alive = [&](EnrollmentTokenId id) {
      const auto page = must(tokens.list(world.grant(), {}));
      return std::any_of(page.items.begin(), page.items.end(), [&](const auto& token) {
        return token.id == id && token.expires_at > world.now();
      });
    };
    const auto prove = [&](EdgeNodeId node) {
      link::Manifest ahead;
      ahead.agent = node;
      ahead.generation = {world.node(node).wanted.epoch + 3, 40};
      return must(world.plane->desired.adopt(node, sign_manifest(world, ahead)));
    };
    const auto before = make();
    REQUIRE(is_alive(before));

    CHECK(prove(press.id()));
    CHECK_FALSE(is_alive(before));
    world.pass(60 * second);
    const auto after = make();
    CHECK(prove(mill.id()));  // Of the same restore.
    CHECK(is_alive(after));
    const auto count = [&] {
      const auto names = world.audited();
      return std::count(names.begin(), names.end(), "platform.restored");
    };
    CHECK(count() == 1);
    CHECK(world.recorder.restored == std::vector{press.id(), mill.id()});
    world.pass(longest_token_life);
    const auto later = make();
    CHECK(prove(mill.id()));
    CHECK_FALSE(is_alive(later));
    CHECK(count() == 2);
  }

  TEST_CASE("stopping waits for an assembly that is under way") {
    World world;
    const auto id = world.add_node("press").id;
    SlowSource slow;
    DesiredEngine engine(*world.store, world.key, world.recorder, world.env());
    engine.add_source(slow);
    must(world.store->write([&](storage::Transaction& transaction) {
      return transaction.get<DesiredStore>().touch(id);
    }));
    std::thread assembling([&] { must(engine.assemble()); });
    slow.asked.get_future().wait();
    slow.go_on.set_value();
    engine.stop();
    const bool ended = slow.ended;
    slow.stop_returned.set_value();
    assembling.join();
    CHECK(ended);
  }

  TEST_CASE("[R23] manifests that prove nothing fill no more than an audit entry an hour") {
    World world;
    Agent agent(world, world.add_node("press").id);
    link::SignedManifest forged;
    forged.manifest = "{";
    forged.key_id = world.key.key_id();
    forged.signature = std::string(64, 'x');
    const auto refused = [&] {
      for (int i = 0; i < 20; ++i)
        CHECK_FALSE(must(world.plane->desired.adopt(agent.id(), forged)));
      const auto names = world.audited();
      return std::count(names.begin(), names.end(), "edge_node.manifest_ahead:denied");
    };
    CHECK(refused() == 1);
    world.pass(3'599 * second);
    CHECK(refused() == 1);
    world.pass(1 * second);
    CHECK(refused() == 2);
  }

  TEST_CASE("a manifest of another node proves nothing") {
    World world;
    Agent agent(world, world.add_node("press").id);
    Agent other(world, world.add_node("other").id);
    world.add_service(other.id());
    REQUIRE(other.manifests.size() == 1);
    CHECK_FALSE(must(world.plane->desired.adopt(agent.id(), other.manifests[0])));
  }
}
