// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <utility>

#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

using transport::ChannelKind;

/// A gateway whose messages come exactly when a test says so.
class Mouth final : public transport::AgentGateway {
 public:
  Result<void> start(transport::GatewayHandlers given) override {
    handlers = std::move(given);
    handlers.on_listening(true);
    return {};
  }
  void stop() noexcept override {}
  void send(link::AgentId, transport::Channel channel, Bytes payload,
            transport::DoneHandler done) override {
    if (channel.kind == ChannelKind::ack) acks.push_back(must(link::parse_ack(payload)));
    done({});
  }
  void deny(link::AgentId) override {}
  void set_denied(std::span<const link::AgentId>) override {}
  [[nodiscard]] const std::string& replica() const noexcept override { return name; }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return 0; }

  std::string name = "mouth";
  transport::GatewayHandlers handlers;
  std::vector<link::Ack> acks;
};

/// A node with a service, and an engine that hears what a test says, in one breath.
struct Site {
  explicit Site(const Limits& limits = default_limits) : world(1, limits) {
    REQUIRE(engine.start());
  }

  void say(EdgeNodeId from, ChannelKind kind, Bytes payload, const std::string& label = {}) {
    mouth.handlers.on_message(from, {kind, label, {}}, std::move(payload));
  }
  void birth(EdgeNodeId from, std::int64_t connection) {
    say(from, ChannelKind::presence, link::to_json(link::Presence{true, connection, "1.0"}));
  }
  void beats(EdgeNodeId from, int count) {
    link::Heartbeat heartbeat;
    heartbeat.connection = 1;
    for (int i = 0; i < count; ++i) say(from, ChannelKind::state, link::to_json(heartbeat));
  }
  void telemetry(std::int64_t first, std::int64_t count) {
    say(id, ChannelKind::telemetry,
        telemetry_document(service, first, count, "buffer-1", world.now()), service.to_string());
  }
  ConnectionState state(EdgeNodeId node) { return world.node(node).status.state; }

  World world;
  EdgeNodeId id = world.add_node("press").id;
  EdgeNodeId other = world.add_node("mill").id;
  EdgeServiceId service = world.add_service(id).id;
  Mouth mouth;
  FleetEngine engine{{*world.store, *world.series, mouth, world.plane->live, world.plane->desired,
                      world.plane->commands, world.recorder, world.recorder, world.recorder},
                     {},
                     world.env()};
};

}  // namespace

TEST_SUITE("fleet.FleetEngine") {
  TEST_CASE("telemetry never overtakes the birth that refuses its buffer") {
    Site site;
    site.birth(site.id, 10);
    site.telemetry(1, 3);
    site.world.run();
    REQUIRE(site.mouth.acks.size() == 1);
    CHECK(site.mouth.acks[0].upto == 3);

    site.beats(site.other, 250);  // More than the workers take at once.
    site.birth(site.id, 4);       // The disk of an earlier day.
    site.telemetry(2, 3);
    site.world.run();

    REQUIRE(site.mouth.acks.size() == 2);
    CHECK(site.mouth.acks[1].renew);
    CHECK(must(site.world.series->count(
              {site.world.scope.project.bytes(), site.service.bytes()})) == 3);
  }

  TEST_CASE("a birth is taken when so much waits that other messages are dropped") {
    Limits limits;
    limits.inbound_queue = 10;
    Site site(limits);
    site.beats(site.other, 11);
    CHECK(site.engine.backlog() == 10);
    site.birth(site.id, 1);
    CHECK(site.engine.backlog() == 11);
    site.world.run();
    CHECK(site.state(site.id) == ConnectionState::online);
  }

  TEST_CASE("[R23] an agent that floods births fills no more than its share of a full queue") {
    Limits limits;
    limits.inbound_queue = 10;
    Site site(limits);
    site.beats(site.other, 10);
    for (int i = 1; i <= 50; ++i) site.birth(site.id, i);
    CHECK(site.engine.backlog() == 14);
    site.world.run();
    site.birth(site.id, 51);
    site.telemetry(1, 3);
    site.world.run();
    CHECK(site.mouth.acks.size() == 1);
  }
}
