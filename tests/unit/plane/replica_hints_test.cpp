// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/env.hpp>

#include "plane/replica_hints.hpp"
#include "support/results.hpp"

using namespace ecp;

namespace {

/// Replicas that hear each other at once, unless a test makes one deaf.
struct Bus {
  std::vector<std::function<void(BytesView)>> ears;
  std::size_t told = 0;
};

class Mouth final : public transport::AgentGateway {
 public:
  Mouth(Bus& bus, std::string name) : bus_(bus), name_(std::move(name)) {}
  Result<void> start(transport::GatewayHandlers) override { return {}; }
  void stop() noexcept override {}
  void send(link::AgentId, transport::Channel, Bytes, transport::DoneHandler) override {}
  void tell(Bytes payload) override {
    ++bus_.told;
    for (const auto& ear : bus_.ears) ear(payload);
  }
  void deny(link::AgentId) override {}
  void set_denied(std::span<const link::AgentId>) override {}
  [[nodiscard]] const std::string& replica() const noexcept override { return name_; }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return 0; }

 private:
  Bus& bus_;
  std::string name_;
};

struct Replica {
  Replica(Bus& bus, const std::string& name, Env env) : mouth(bus, name), hints(live, mouth, env) {
    bus.ears.push_back([this](BytesView told) { hints.take(told); });
    hints.start();
  }
  std::unique_ptr<platform::Subscription> listen(const access::Scope& scope) {
    return live.subscribe(scope, [this](const platform::LiveEvent& event) {
      heard.push_back(event.name + event.data_json);
    });
  }
  platform::LiveEvents live;
  Mouth mouth;
  plane::ReplicaHints hints;
  std::vector<std::string> heard;
};

struct World {
  ManualEnv env;
  Bus bus;
  Replica one{bus, "one", env.env()};
  Replica two{bus, "two", env.env()};
  access::Scope hall{env.ids.next<access::OrganizationId>(), env.ids.next<access::ProjectId>()};
  access::Scope other{hall.organization, env.ids.next<access::ProjectId>()};
};

}  // namespace

TEST_SUITE("plane.ReplicaHints") {
  TEST_CASE("what one replica hears, the listeners of another have, once") {
    World world;
    const auto here = world.one.listen(world.hall);
    const auto there = world.two.listen(world.hall);

    world.one.live.publish(world.hall, "value", "{\"a\":1}");

    CHECK(world.one.heard == std::vector<std::string>{"value{\"a\":1}"});
    CHECK(world.two.heard == world.one.heard);
  }

  TEST_CASE("[R12] a listener hears of its own scope alone, whichever replica it asks") {
    World world;
    const auto there = world.two.listen(world.hall);

    world.one.live.publish(world.other, "value", "{}");

    CHECK(world.two.heard.empty());
    CHECK(world.one.live.has_listener(world.hall));
    CHECK_FALSE(world.one.live.has_listener(world.other));
  }

  TEST_CASE("nothing is passed to replicas to whom nobody listens, or listens no more") {
    World world;
    world.one.live.publish(world.hall, "value", "{}");
    CHECK(world.bus.told == 0);
    auto there = world.two.listen(world.hall);
    CHECK(world.one.live.has_listener(world.hall));
    there.reset();
    world.env.executor.advance(Milliseconds(3'000));
    CHECK_FALSE(world.one.live.has_listener(world.hall));
  }

  TEST_CASE("a replica that says nothing more is listened to no longer") {
    World world;
    const auto there = world.two.listen(world.hall);
    world.bus.ears.clear();
    world.env.executor.advance(Milliseconds(60'000));
    CHECK_FALSE(world.one.live.has_listener(world.hall));
  }

  TEST_CASE("[R24] what cannot be understood is read over") {
    World world;
    for (const auto* text :
         {"", "{", "[]", "{\"from\":1}", "{\"from\":\"x\",\"listens\":[{}]}",
          "{\"from\":\"x\",\"event\":[]}",
          "{\"from\":\"x\",\"event\":{\"organization\":\"no id\",\"project\":\"\"}}"}) {
      world.one.hints.take(text);
    }
    CHECK_FALSE(world.one.live.has_listener(world.hall));
  }
}
