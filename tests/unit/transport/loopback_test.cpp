// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>

#include <ecp/transport/loopback.hpp>
#include <ecp/transport/reasons.hpp>

using namespace ecp;
using namespace std::chrono_literals;
using transport::Channel;
using transport::ChannelKind;
using transport::LinkState;

namespace {

/// A gateway and an agent in a world that moves only when told to.
struct World {
  explicit World(std::uint64_t seed = 1) : env(seed) {
    transport::GatewayHandlers handlers;
    handlers.on_message = [this](link::AgentId, const Channel& channel, Bytes payload) {
      if (channel.kind == ChannelKind::presence) presence.push_back(payload);
      if (channel.kind == ChannelKind::telemetry) telemetry.push_back(payload);
    };
    handlers.on_listening = [this](bool now) { listening = now; };
    CHECK(gateway->start(std::move(handlers)));
    start(*link);
    env.executor.run_ready();
  }
  void start(transport::AgentLink& end) {
    transport::LinkHandlers below;
    below.on_connecting = [this]() -> Result<transport::LinkHandlers::Presence> {
      ++connects;
      return transport::LinkHandlers::Presence{"birth", "will"};
    };
    below.on_state = [this](LinkState state, transport::LinkLoss) { states.push_back(state); };
    CHECK(end.start(std::move(below)));
  }
  void send(int count) {
    for (int i = 0; i < count; ++i) {
      link->send({ChannelKind::telemetry, "s", ""}, std::to_string(i),
                 [this](const Result<void>& sent) { (sent ? accepted : refused) += 1; });
    }
    env.executor.run_ready();
  }

  ManualEnv env;
  transport::LoopbackNetwork network{env.env()};
  link::AgentId agent = env.ids.next<link::AgentId>();
  std::unique_ptr<transport::AgentGateway> gateway = network.gateway("r1");
  std::unique_ptr<transport::AgentLink> link = network.link(agent);
  std::vector<Bytes> presence;
  std::vector<Bytes> telemetry;
  std::vector<LinkState> states;
  bool listening = false;
  int connects = 0;
  int accepted = 0;
  int refused = 0;
};

}  // namespace

TEST_SUITE("transport.Loopback") {
  TEST_CASE("a cut agent is told by its will, and comes back when healed") {
    World world;
    world.network.cut(world.agent);
    world.env.executor.run_ready();
    CHECK(world.states.back() == LinkState::down);
    CHECK(world.presence == std::vector<Bytes>{"birth", "will"});

    world.env.executor.advance(10min);
    CHECK(world.states.back() == LinkState::down);
    world.network.heal(world.agent);
    world.env.executor.advance(61s);

    CHECK(world.states.back() == LinkState::up);
    CHECK(world.presence.back() == "birth");
  }

  TEST_CASE("retries become rarer, up to one a minute") {
    World world;
    world.network.cut(world.agent);
    world.env.executor.advance(1h);
    CHECK(world.connects > 60);
    CHECK(world.connects < 240);
  }

  TEST_CASE("lost messages were accepted all the same, because acceptance proves nothing") {
    World world;
    world.network.set_faults({1'000, 0, 0ms});
    world.send(10);
    CHECK(world.accepted == 10);
    CHECK(world.telemetry.empty());
  }

  TEST_CASE("some are lost, some come twice, late ones keep their order") {
    World world(7);
    world.network.set_faults({100, 100, 500ms});
    world.send(500);
    world.env.executor.advance(10s);
    CHECK(world.telemetry.size() > 400);
    CHECK(world.telemetry.size() < 600);
    CHECK(std::is_sorted(
        world.telemetry.begin(), world.telemetry.end(),
        [](const Bytes& left, const Bytes& right) { return std::stoi(left) < std::stoi(right); }));
  }

  TEST_CASE("of two gateways each message reaches one, and both get some") {
    World world;
    int second = 0;
    const auto other = world.network.gateway("r2");
    transport::GatewayHandlers handlers;
    handlers.on_message = [&](link::AgentId, const Channel&, const Bytes&) { ++second; };
    CHECK(other->start(std::move(handlers)));

    world.send(100);

    CHECK(second > 0);
    CHECK(!world.telemetry.empty());
    CHECK(world.telemetry.size() + static_cast<std::size_t>(second) == 100);
  }

  TEST_CASE("births, wills and heartbeats reach all replicas") {
    World world;
    int second = 0;
    const auto other = world.network.gateway("r2");
    transport::GatewayHandlers handlers;
    handlers.on_message = [&](link::AgentId, const Channel& channel, const Bytes&) {
      if (channel.kind == ChannelKind::state) ++second;
    };
    CHECK(other->start(std::move(handlers)));

    for (int i = 0; i < 20; ++i) {
      world.link->send({ChannelKind::state, "", ""}, "x", [](const Result<void>&) {});
    }
    world.env.executor.advance(10s);

    CHECK(second == 20);
  }

  TEST_CASE("an answer reaches the replica that asked") {
    World world;
    std::vector<std::string> got;
    const auto other = world.network.gateway("r2");
    transport::GatewayHandlers handlers;
    handlers.on_message = [&](link::AgentId, const Channel& channel, const Bytes&) {
      got.push_back(channel.label);
    };
    CHECK(other->start(std::move(handlers)));

    for (const auto* call : {"1", "2", "3"}) {
      world.link->send({ChannelKind::answer_up, call, "r2"}, "x", [](const Result<void>&) {});
    }
    world.env.executor.run_ready();

    CHECK(got == std::vector<std::string>{"1", "2", "3"});
  }

  TEST_CASE("channels overtake each other when told to, and keep their own order") {
    World world;
    world.network.set_faults({0, 0, 100ms, true});

    std::vector<std::string> order;
    const auto other = world.network.gateway("r2");
    transport::GatewayHandlers handlers;
    handlers.on_message = [&](link::AgentId, const Channel& channel, const Bytes& payload) {
      order.push_back(channel.label + payload);
    };
    world.gateway->stop();
    CHECK(other->start(std::move(handlers)));
    for (const auto* number : {"1", "2", "3", "4", "5"}) {
      for (const auto* stream : {"a", "b"}) {
        world.link->send({ChannelKind::telemetry, stream, ""}, number, [](const Result<void>&) {});
      }
    }
    world.env.executor.advance(1s);

    std::string first;
    for (const auto& each : order) {
      if (each.front() == 'a') first += each.back();
    }
    CHECK(order.size() == 10);
    CHECK(first == "12345");
    CHECK(order !=
          std::vector<std::string>{"a1", "b1", "a2", "b2", "a3", "b3", "a4", "b4", "a5", "b5"});
  }

  TEST_CASE("the same seed loses the same messages") {
    const auto run = [](std::uint64_t seed) {
      World world(seed);
      world.network.set_faults({300, 100, 50ms});
      world.send(100);
      world.env.executor.advance(1s);
      return world.telemetry;
    };
    CHECK(run(5) == run(5));
    CHECK(run(5) != run(6));
  }

  TEST_CASE("a gateway that cannot be heard takes no silence for news") {
    World world;
    CHECK(world.listening);
    world.network.cut_all();
    world.env.executor.run_ready();
    CHECK_FALSE(world.listening);
    world.network.heal_all();
    world.env.executor.advance(61s);
    CHECK(world.listening);
    CHECK(world.states.back() == LinkState::up);
  }

  TEST_CASE("[R22] of two links with one identity only the later one stays") {
    World world;
    auto clone = world.network.link(world.agent);
    world.start(*clone);
    world.env.executor.run_ready();

    // The birth of the clone, and the will of the one it took over.
    CHECK(std::count(world.presence.begin(), world.presence.end(), "will") == 1);
    CHECK(std::count(world.states.begin(), world.states.end(), LinkState::down) == 1);
    clone->stop();
  }

  TEST_CASE("sends beyond the bound are refused, not queued for ever") {
    World world;
    for (int i = 0; i < 1'500; ++i) {
      world.link->send({ChannelKind::telemetry, "s", ""}, "x", [&world](const Result<void>& sent) {
        (sent ? world.accepted : world.refused) += 1;
      });
    }
    world.env.executor.run_ready();
    CHECK(world.accepted == 1'000);
    CHECK(world.refused == 500);
    world.send(1);
    CHECK(world.accepted == 1'001);
  }
}

namespace {

/// How long after the network healed each of `count` agents was back, sorted.
std::vector<std::int64_t> recovery_ms(int count, Milliseconds reconnect_cap) {
  ManualEnv env(7);
  transport::LoopbackNetwork network(env.env());
  std::vector<std::unique_ptr<transport::AgentLink>> links;
  std::vector<SteadyTime> ups;
  for (int i = 0; i < count; ++i) {
    links.push_back(network.link(env.ids.next<link::AgentId>(), env.env(), reconnect_cap));
    transport::LinkHandlers handlers;
    handlers.on_state = [&](LinkState state, transport::LinkLoss) {
      if (state == LinkState::up) ups.push_back(env.clock.steady());
    };
    REQUIRE(links.back()->start(std::move(handlers)));
  }
  env.executor.run_ready();
  network.cut_all();
  env.executor.advance(30s);
  ups.clear();
  network.heal_all();
  const auto healed = env.clock.steady();
  env.executor.advance(120s);
  std::vector<std::int64_t> times;
  for (const auto up : ups) {
    times.push_back(std::chrono::duration_cast<Milliseconds>(up - healed).count());
  }
  for (auto& link : links) link->stop();
  std::sort(times.begin(), times.end());
  return times;
}

/// How often an agent tries to connect in the half minute after a cut.
int tries_in_30_s(Milliseconds first_bound, Milliseconds learned_bound) {
  ManualEnv env(7);
  transport::LoopbackNetwork network(env.env());
  const auto agent = env.ids.next<link::AgentId>();
  const auto link = network.link(agent, env.env(), first_bound);
  int tries = 0;
  transport::LinkHandlers handlers;
  handlers.on_connecting = [&] {
    ++tries;
    return transport::LinkHandlers::Presence{};
  };
  REQUIRE(link->start(std::move(handlers)));
  env.executor.run_ready();
  link->set_reconnect_cap(learned_bound);
  network.cut(agent);
  env.executor.advance(30s);
  link->stop();
  return tries;
}

}  // namespace

TEST_SUITE("transport.AgentLink") {
  TEST_CASE("a bound that is learned while the link is up holds for the next retries") {
    CHECK(tries_in_30_s(60s, 100ms) > 100);
    CHECK(tries_in_30_s(100ms, 60s) < 20);
  }

  TEST_CASE("a small fleet is back within seconds after a cut of half a minute") {
    const auto times = recovery_ms(100, 4s);

    REQUIRE(times.size() == 100);
    CHECK(times[94] <= 5'000);
    CHECK(times.back() <= 15'000);
  }

  TEST_CASE("a large fleet is back within a minute, and never all at once") {
    const auto times = recovery_ms(10'000, 60s);

    REQUIRE(times.size() == 10'000);
    CHECK(times[9'900] <= 60'000);
    std::size_t most = 0;
    for (std::size_t i = 0; i < times.size(); ++i) {
      const auto end = std::upper_bound(times.begin(), times.end(), times[i] + 1'000);
      most = std::max(most, static_cast<std::size_t>(end - times.begin()) - i);
    }
    CHECK(most <= 600);
  }
}

TEST_SUITE("transport.Gateway") {
  TEST_CASE("[R23] what does not fit the inbound queue is dropped and counted") {
    Limits limits;
    limits.inbound_queue = 100;
    ManualEnv env(1, limits);
    transport::LoopbackNetwork network(env.env());
    auto gateway = network.gateway("r1");
    auto link = network.link(env.ids.next<link::AgentId>());
    int received = 0;
    transport::GatewayHandlers handlers;
    handlers.on_message = [&received](link::AgentId, const Channel&, const Bytes&) { ++received; };
    REQUIRE(gateway->start(std::move(handlers)));
    REQUIRE(link->start({}));
    env.executor.run_ready();
    received = 0;
    for (int i = 0; i < 150; ++i) link->send({ChannelKind::event, "", ""}, "x", {});
    env.executor.run_ready();
    CHECK(received == 100);
    CHECK(gateway->dropped() == 50);
    link->stop();
    gateway->stop();
  }
}
