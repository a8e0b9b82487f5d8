// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <doctest/doctest.h>

#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

/// One registry call, ready to be made with any grant.
struct Call {
  const char* permission;
  std::function<std::string_view(const access::Grant&)> make;
};

template <class T>
std::string_view outcome(const Result<T>& result) {
  return failure(result);
}

std::vector<Call> all_calls(World& world, EnrollmentTokenRegistry& tokens, EdgeNodeId node,
                            EdgeServiceId service) {
  auto& nodes = world.plane->nodes;
  auto& services = world.plane->services;
  using Grant = access::Grant;
  return {
      {"edge_node.view", [&, node](const Grant& g) { return outcome(nodes.get(g, node)); }},
      {"edge_node.view", [&](const Grant& g) { return outcome(nodes.list(g, {}, {})); }},
      {"edge_node.edit",
       [&, node](const Grant& g) { return outcome(nodes.update(g, node, Revision::first, {})); }},
      {"edge_node.revoke", [&, node](const Grant& g) { return outcome(nodes.revoke(g, node)); }},
      {"edge_node.edit",
       [&, node](const Grant& g) { return outcome(nodes.remove(g, node, Revision::first)); }},
      {"edge_service.edit", [&](const Grant& g) { return outcome(services.create(g, {})); }},
      {"edge_service.view",
       [&, service](const Grant& g) { return outcome(services.get(g, service)); }},
      {"edge_service.view", [&](const Grant& g) { return outcome(services.list(g, {}, {})); }},
      {"edge_service.edit",
       [&, service](const Grant& g) {
         return outcome(services.update(g, service, Revision::first, {}));
       }},
      {"edge_service.edit",
       [&, service](const Grant& g) {
         return outcome(services.remove(g, service, Revision::first));
       }},
      {"edge_service.control",
       [&, service](const Grant& g) { return outcome(services.control(g, service, "stop")); }},
      {"data_tag.write",
       [&, service](const Grant& g) {
         return outcome(services.write(g, service, "a/b/c", "1", 5 * second));
       }},
      {"data_tag.write",
       [&, service](const Grant& g) {
         return outcome(services.write_tags(g, service, {{"a/b/c", "1"}}, 5 * second));
       }},
      {"edge_service.view", [&](const Grant& g) { return outcome(services.get_command(g, {})); }},
      {"edge_service.view", [&](const Grant& g) { return outcome(services.list_commands(g, {})); }},
      {"data_tag.view",
       [&, service](const Grant& g) { return outcome(services.values(g, service)); }},
      {"data_tag.view",
       [&, service](const Grant& g) {
         return outcome(services.history(g, service, "a/b/c", from_ms(0), from_ms(1), 1));
       }},
      {"data_tag.view",
       [&, service](const Grant& g) {
         return outcome(services.samples(g, service, "a/b/c", from_ms(0), from_ms(1), 1));
       }},
      {"enrollment_token.edit", [&](const Grant& g) { return outcome(tokens.create(g, {})); }},
      {"enrollment_token.view", [&](const Grant& g) { return outcome(tokens.list(g, {})); }},
      {"enrollment_token.edit", [&](const Grant& g) { return outcome(tokens.remove(g, {})); }}};
}

}  // namespace

TEST_SUITE("fleet.registries") {
  TEST_CASE("[R12] every call without a right answers as if nothing were there, and is recorded") {
    World world;
    EnrollmentTokenRegistry tokens(*world.store, "system", world.recorder, world.env());
    const auto node = world.add_node("press").id;
    const auto service = world.add_service(node).id;
    const auto before = world.audited();
    for (const auto& call : all_calls(world, tokens, node, service)) {
      CAPTURE(call.permission);
      world.recorder.denials.clear();
      CHECK(call.make(world.powerless()) == "access.no_such_scope");
      CHECK(world.recorder.denials == std::vector<std::string>{call.permission});
    }
    CHECK(world.audited() == before);
    CHECK(world.node(node).name == "press");
  }

  TEST_CASE("[R34] every change writes exactly one audit entry") {
    World world;
    EnrollmentTokenRegistry tokens(*world.store, "system", world.recorder, world.env());
    const auto id = world.add_node("press").id;
    auto& nodes = world.plane->nodes;
    auto& services = world.plane->services;
    const auto made = world.add_service(id);
    must(services.update(world.grant(), made.id, made.revision, {"oven", {}}));
    must(services.control(world.grant(), made.id, "restart"));
    must(services.write(world.grant(), made.id, "plc/fast/setpoint", "1", 5 * second));
    must(services.remove(world.grant(), made.id, Revision{2}));
    const auto token = must(tokens.create(world.grant(), {"t", 1, 60 * second}));
    must(tokens.remove(world.grant(), token.token.id));
    must(nodes.update(world.grant(), id, Revision::first, {"saw", {}}));
    must(nodes.revoke(world.grant(), id));
    must(nodes.revoke(world.grant(), id));  // Changes nothing any more.
    must(nodes.remove(world.grant(), id, Revision{3}));
    CHECK(world.audited() ==
          std::vector<std::string>{"edge_service.create", "edge_service.update",
                                   "edge_service.control", "data_tag.write", "edge_service.remove",
                                   "enrollment_token.create", "enrollment_token.remove",
                                   "edge_node.update", "edge_node.revoke", "edge_node.remove"});
  }

  TEST_CASE("a configuration that breaks the kind's rules is refused, naming the field") {
    World world;
    const auto node = world.add_node("press").id;
    const auto create = [&](const std::string& kind, const std::string& config) {
      return world.plane->services.create(world.grant(), {"x", node, kind, "builtin", config});
    };
    const auto bad = create("pipeline", R"({"drivers":[{"name":"p","type":"modbus-tcp",)"
                                        R"("host":"h","groups":[{"name":"g","interval_ms":1,)"
                                        R"("tags":[]}]}]})");
    REQUIRE_FALSE(bad);
    CHECK(bad.error().message().find("drivers[0].groups[0].interval_ms") != std::string::npos);
    CHECK(failure(create("toaster", "{}")) == "kind.unknown_kind");
    CHECK(failure(create("pipeline", "{}")) == "core.bad_field");
  }

  TEST_CASE("a service needs a node of its own project that is not revoked") {
    World world;
    const auto node = world.add_node("press").id;
    const auto create = [&](EdgeNodeId on) {
      return world.plane->services.create(world.grant(),
                                          {"x", on, "pipeline", "builtin", furnace_config});
    };
    CHECK(failure(create(world.env_.ids.next<EdgeNodeId>())) == "core.not_found");
    must(world.plane->nodes.revoke(world.grant(), node));
    CHECK(failure(create(node)) == "edge_node.revoked");
  }

  TEST_CASE("a change made on a stale revision is refused") {
    World world;
    const auto id = world.add_node("press").id;
    must(world.plane->nodes.update(world.grant(), id, Revision::first, {"a", {}}));
    CHECK(failure(world.plane->nodes.update(world.grant(), id, Revision::first, {"b", {}})) ==
          "core.stale_revision");
    CHECK(failure(world.plane->nodes.remove(world.grant(), id, Revision::first)) ==
          "core.stale_revision");
  }

  TEST_CASE("a removed node takes its services and values with it and is refused from then on") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id);
    const auto service = world.add_service(id).id;
    agent.telemetry(service, 1, 5);
    must(world.plane->nodes.remove(world.grant(), id, Revision::first));
    world.run();
    CHECK(must(world.plane->services.list(world.grant(), {}, {})).total == 0);
    CHECK(must(world.series->count({world.scope.project.bytes(), service.bytes()})) == 0);
    const auto acknowledged = agent.acks.size();
    agent.telemetry(service, 6, 5);
    CHECK(agent.acks.size() == acknowledged);
  }

  TEST_CASE("the newest values are those of tags that the configuration has") {
    World world;
    const auto id = world.add_node("press").id;
    Agent agent(world, id);
    const auto service = world.add_service(id).id;
    agent.telemetry(service, 1, 5);
    const auto values = must(world.plane->services.values(world.grant(), service));
    REQUIRE(values.size() == 1);
    CHECK(values[0].value == series::Value(5.0));
  }

  TEST_CASE("names have 1 to 50 characters, counted as people count them") {
    CHECK(check_name("name", "M\xc3\xbcllverbrennung"));
    CHECK_FALSE(check_name("name", ""));
    CHECK_FALSE(check_name("name", " a"));
    CHECK_FALSE(check_name("name", "a\nb"));
    std::string fifty;
    for (int i = 0; i < 50; ++i) fifty += "\xc3\xbc";
    CHECK(check_name("name", fifty));
    CHECK_FALSE(check_name("name", fifty + "x"));
  }
}
