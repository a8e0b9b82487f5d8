// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <atomic>
#include <future>

#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/transport/calls.hpp>
#include <ecp/transport/loopback.hpp>
#include <ecp/transport/reasons.hpp>

#include "support/live_broker.hpp"

using namespace ecp;
using namespace ecp::tests;
using transport::Channel;
using transport::ChannelKind;
using transport::LinkState;

namespace {

/// The real world, with a log that tests can read.
struct World {
  MemoryLog log;
  RealEnv real{log, 2};
  Env env = real.env();
  ~World() { real.stop(); }
};

struct Loopback {
  explicit Loopback(Env env) : network(env) {}
  std::unique_ptr<transport::AgentLink> link(link::AgentId agent) { return network.link(agent); }
  std::unique_ptr<transport::AgentGateway> gateway() { return network.gateway("r1"); }
  void stop() { network.cut_all(); }
  void restart() { network.heal_all(); }
  transport::LoopbackNetwork network;
};

struct Mqtt {
  explicit Mqtt(Env env) : broker(env) {}
  std::unique_ptr<transport::AgentLink> link(link::AgentId agent) { return broker.link(agent); }
  std::unique_ptr<transport::AgentGateway> gateway() { return broker.gateway("r1"); }
  void stop() { broker.stop(); }
  void restart() { broker.restart(); }
  LiveBroker broker;
};

/// What one end has seen. Filled on the executor, read by the test.
struct Seen {
  std::mutex mutex;
  std::vector<std::pair<Channel, Bytes>> messages;
  std::vector<LinkState> states;
  std::vector<transport::LinkLoss> losses;
  std::atomic<int> connects = 0;
  std::atomic<bool> listening = false;

  std::vector<Bytes> of(ChannelKind kind) {
    const std::lock_guard lock(mutex);
    std::vector<Bytes> payloads;
    for (const auto& message : messages) {
      if (message.first.kind == kind) payloads.push_back(message.second);
    }
    return payloads;
  }
  bool is(LinkState state) {
    const std::lock_guard lock(mutex);
    return !states.empty() && states.back() == state;
  }
  void add(const Channel& channel, Bytes payload) {
    const std::lock_guard lock(mutex);
    messages.emplace_back(channel, std::move(payload));
  }
};

transport::LinkHandlers agent_handlers(Seen& seen) {
  transport::LinkHandlers handlers;
  handlers.on_connecting = [&seen]() -> Result<transport::LinkHandlers::Presence> {
    const auto count = std::to_string(++seen.connects);
    return transport::LinkHandlers::Presence{"birth " + count, "will " + count};
  };
  handlers.on_state = [&seen](LinkState state, transport::LinkLoss loss) {
    const std::lock_guard lock(seen.mutex);
    seen.states.push_back(state);
    seen.losses.push_back(loss);
  };
  handlers.on_message = [&seen](const Channel& channel, Bytes payload) {
    seen.add(channel, std::move(payload));
  };
  return handlers;
}

transport::GatewayHandlers gateway_handlers(Seen& seen) {
  transport::GatewayHandlers handlers;
  handlers.on_message = [&seen](link::AgentId, const Channel& channel, Bytes payload) {
    seen.add(channel, std::move(payload));
  };
  handlers.on_listening = [&seen](bool listening) { seen.listening = listening; };
  return handlers;
}

/// Waits for one outcome.
struct Outcome {
  std::shared_ptr<std::promise<Result<void>>> promise =
      std::make_shared<std::promise<Result<void>>>();
  transport::DoneHandler handler() {
    return [promise = promise](Result<void> result) { promise->set_value(std::move(result)); };
  }
  Result<void> get() {
    auto future = promise->get_future();
    if (future.wait_for(std::chrono::seconds(20)) != std::future_status::ready) {
      return Error(ecp::reasons::timeout, {{"what", "the outcome of a send"}});
    }
    return future.get();
  }
};

/// A gateway and one agent, both up.
template <class Network>
struct Pair {
  World world;
  Network network{world.env};
  link::AgentId agent = world.env.ids.next<link::AgentId>();
  Seen above;
  Seen below;
  std::unique_ptr<transport::AgentGateway> gateway = network.gateway();
  std::unique_ptr<transport::AgentLink> link = network.link(agent);

  Pair() {
    link->set_reconnect_cap(std::chrono::seconds(2));  // Of a small fleet, to be back soon.
    REQUIRE(gateway->start(gateway_handlers(above)));
    REQUIRE(eventually([this] { return above.listening.load(); }));
    REQUIRE(link->start(agent_handlers(below)));
    REQUIRE(eventually([this] { return below.is(LinkState::up); }));
  }
  ~Pair() {
    link->stop();
    gateway->stop();
    world.real.stop();
  }
  Result<void> up(Channel channel, Bytes payload) {
    Outcome outcome;
    link->send(std::move(channel), std::move(payload), outcome.handler());
    return outcome.get();
  }
  Result<void> down(link::AgentId to, Channel channel, Bytes payload) {
    Outcome outcome;
    gateway->send(to, std::move(channel), std::move(payload), outcome.handler());
    return outcome.get();
  }
};

const Bytes any_octets("\0\xff{}\n", 5);

}  // namespace

TEST_CASE_TEMPLATE_DEFINE("transport: every channel carries its octets to the other end", Network,
                          carries) {
  Pair<Network> pair;
  const std::vector<Channel> upward{{ChannelKind::state, "", ""},
                                    {ChannelKind::reported, "", ""},
                                    {ChannelKind::alarm, "", ""},
                                    {ChannelKind::event, "", ""},
                                    {ChannelKind::telemetry, "svc_1", ""},
                                    {ChannelKind::question, "call-1", ""},
                                    {ChannelKind::answer_up, "call-2", "r1"}};
  for (const auto& channel : upward) CHECK(pair.up(channel, any_octets));
  const std::vector<Channel> downward{{ChannelKind::desired, "", ""},
                                      {ChannelKind::command, "", ""},
                                      {ChannelKind::ack, "", ""},
                                      {ChannelKind::answer_down, "call-1", ""},
                                      {ChannelKind::question_down, "call-2", "r1"}};
  for (const auto& channel : downward) CHECK(pair.down(pair.agent, channel, any_octets));

  REQUIRE(eventually([&] {
    const std::lock_guard lock(pair.above.mutex);
    return pair.above.messages.size() == upward.size() + 1;
  }));
  REQUIRE(eventually([&] {
    const std::lock_guard lock(pair.below.mutex);
    return pair.below.messages.size() == downward.size();
  }));
  CHECK(pair.above.messages[0].first == Channel{ChannelKind::presence, "", ""});
  CHECK(pair.above.messages[0].second == "birth 1");
  for (std::size_t i = 0; i < upward.size(); ++i) {
    CHECK(pair.above.messages[i + 1].first == upward[i]);
    CHECK(pair.above.messages[i + 1].second == any_octets);
  }
  for (std::size_t i = 0; i < downward.size(); ++i) {
    CHECK(pair.below.messages[i].first == downward[i]);
    CHECK(pair.below.messages[i].second == any_octets);
  }
}

TEST_CASE_TEMPLATE_DEFINE("transport: messages of one channel keep their order", Network, orders) {
  Pair<Network> pair;
  constexpr int count = 500;
  for (int i = 0; i < count; ++i) {
    pair.link->send({ChannelKind::telemetry, "s", ""}, std::to_string(i), {});
    pair.gateway->send(pair.agent, {ChannelKind::ack, "", ""}, std::to_string(i), {});
  }
  REQUIRE(eventually([&] { return pair.above.of(ChannelKind::telemetry).size() == count; }));
  REQUIRE(eventually([&] { return pair.below.of(ChannelKind::ack).size() == count; }));
  for (int i = 0; i < count; ++i) {
    CHECK(pair.above.of(ChannelKind::telemetry)[static_cast<std::size_t>(i)] == std::to_string(i));
    CHECK(pair.below.of(ChannelKind::ack)[static_cast<std::size_t>(i)] == std::to_string(i));
  }
}

TEST_CASE_TEMPLATE_DEFINE("transport: a send to an agent that is not there is unavailable", Network,
                          nobody) {
  Pair<Network> pair;
  const auto stranger = pair.world.env.ids.template next<link::AgentId>();
  auto sent = pair.down(stranger, {ChannelKind::desired, "", ""}, "x");
  REQUIRE_FALSE(sent);
  CHECK(sent.error().code() == ErrorCode::unavailable);
}

TEST_CASE_TEMPLATE_DEFINE("transport: a channel of the other direction, or a bad word, is refused",
                          Network, direction) {
  Pair<Network> pair;
  CHECK(pair.up({ChannelKind::desired, "", ""}, "x").error().is(transport::reasons::bad_channel));
  CHECK(pair.up({ChannelKind::telemetry, "a/b", ""}, "x")
            .error()
            .is(transport::reasons::bad_channel));
  CHECK(pair.up({ChannelKind::telemetry, "", ""}, "x").error().is(transport::reasons::bad_channel));
  CHECK(pair.down(pair.agent, {ChannelKind::state, "", ""}, "x")
            .error()
            .is(transport::reasons::bad_channel));
  CHECK(pair.down(pair.agent, {ChannelKind::question_down, "#", "r1"}, "x")
            .error()
            .is(transport::reasons::bad_channel));
}

TEST_CASE_TEMPLATE_DEFINE("transport: the largest batch passes and a larger message does not",
                          Network, sizes) {
  Pair<Network> pair;
  const auto largest = pair.link->max_payload();
  CHECK(largest >= limits::batch);
  CHECK(pair.up({ChannelKind::telemetry, "s", ""}, Bytes(largest, 'x')));
  REQUIRE(eventually([&] { return pair.above.of(ChannelKind::telemetry).size() == 1; }));
  CHECK(pair.above.of(ChannelKind::telemetry)[0].size() == largest);
  CHECK(pair.up({ChannelKind::telemetry, "s", ""}, Bytes(largest + 1, 'x'))
            .error()
            .is(transport::reasons::too_large));
}

TEST_CASE_TEMPLATE_DEFINE("transport: an agent that ends is told by its will", Network, wills) {
  Pair<Network> pair;
  pair.link->stop();
  CHECK(eventually([&] {
    return pair.above.of(ChannelKind::presence) == std::vector<Bytes>{"birth 1", "will 1"};
  }));
}

TEST_CASE_TEMPLATE_DEFINE("transport: a reconnect makes presence anew", Network, reconnects) {
  Pair<Network> pair;
  pair.link->reconnect();
  REQUIRE(eventually([&] {
    return pair.below.connects == 2 && pair.below.is(LinkState::up) &&
           pair.above.of(ChannelKind::presence).size() == 3;
  }));
  CHECK(pair.above.of(ChannelKind::presence) == std::vector<Bytes>{"birth 1", "will 1", "birth 2"});
  CHECK(pair.up({ChannelKind::event, "", ""}, "x"));
}

TEST_CASE_TEMPLATE_DEFINE("transport: both ends come back by themselves after an outage", Network,
                          outage) {
  Pair<Network> pair;
  pair.network.stop();
  REQUIRE(eventually([&] { return !pair.above.listening; }));
  REQUIRE(eventually([&] { return pair.below.is(LinkState::down) || pair.below.connects > 1; }));
  CHECK(pair.up({ChannelKind::event, "", ""}, "lost").error().code() == ErrorCode::unavailable);

  pair.network.restart();

  constexpr std::chrono::seconds patience{60};
  REQUIRE(eventually([&] { return pair.above.listening.load(); }, patience));
  REQUIRE(eventually([&] { return pair.below.is(LinkState::up); }, patience));
  CHECK(pair.up({ChannelKind::event, "", ""}, "x"));
  REQUIRE(eventually([&] { return pair.above.of(ChannelKind::event).size() == 1; }));
  CHECK(pair.above.of(ChannelKind::event)[0] == "x");
}

TEST_CASE_TEMPLATE_DEFINE("transport: after stop no handler starts, and each send is answered",
                          Network, stops) {
  Pair<Network> pair;
  constexpr int count = 300;
  std::atomic<int> answered = 0;
  for (int i = 0; i < count; ++i) {
    pair.link->send({ChannelKind::event, "", ""}, "x",
                    [&answered](const Result<void>&) { ++answered; });
  }
  pair.link->stop();
  const auto states = pair.below.states.size();
  pair.link->send({ChannelKind::event, "", ""}, "x", [&answered](const Result<void>& sent) {
    if (!sent && sent.error().code() == ErrorCode::cancelled) ++answered;
  });
  CHECK(eventually([&answered] { return answered == count + 1; }));
  pair.gateway->send(pair.agent, {ChannelKind::ack, "", ""}, "x", {});
  CHECK(pair.below.states.size() == states);
  CHECK(pair.below.of(ChannelKind::ack).empty());
  pair.link->stop();
}

TEST_CASE_TEMPLATE_DEFINE("transport: a denied agent is cut within five seconds and kept out",
                          Network, denies) {
  Pair<Network> pair;
  pair.gateway->deny(pair.agent);
  REQUIRE(eventually([&] { return pair.below.is(LinkState::down); }, std::chrono::seconds(5)));
  // It tries again, and never gets up again.
  REQUIRE(eventually([&] { return pair.below.connects >= 3; }, std::chrono::seconds(30)));
  const std::lock_guard lock(pair.below.mutex);
  CHECK(std::count(pair.below.states.begin(), pair.below.states.end(), LinkState::up) == 1);
  CHECK(pair.below.losses.back() != transport::LinkLoss::untrusted);
}

TEST_CASE_TEMPLATE_DEFINE("transport: questions are answered in both directions", Network, calls) {
  Pair<Network> pair;
  transport::AgentCalls agent_calls(*pair.link, pair.world.env);
  transport::GatewayCalls gateway_calls(*pair.gateway, pair.world.env);
  gateway_calls.on_question(
      [](link::AgentId, const link::Question& question, const transport::AnswerHandler& reply) {
        reply("{\"asked\":\"" + question.method + "\"}");
      });
  std::promise<Result<std::string>> answer;
  std::promise<Result<std::string>> refusal;
  agent_calls.ask({"server_time", "{}"}, std::chrono::seconds(5),
                  [&answer](Result<std::string> got) { answer.set_value(std::move(got)); });
  gateway_calls.ask(pair.agent, {"unknown", "{}"}, std::chrono::seconds(5),
                    [&refusal](Result<std::string> got) { refusal.set_value(std::move(got)); });
  // The owners of the ends hand the messages over, as the agent and the plane do.
  const auto pump = [&] {
    for (auto* seen : {&pair.above, &pair.below}) {
      std::vector<std::pair<Channel, Bytes>> messages;
      {
        const std::lock_guard lock(seen->mutex);
        messages.swap(seen->messages);
      }
      for (const auto& message : messages) {
        const bool taken = seen == &pair.above
                               ? gateway_calls.take(pair.agent, message.first, message.second)
                               : agent_calls.take(message.first, message.second);
        CHECK(taken == (message.first.kind != ChannelKind::presence));
      }
    }
  };
  auto answered = answer.get_future();
  auto refused = refusal.get_future();
  const auto ready = [](auto& future) {
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::ready;
  };
  REQUIRE(eventually([&] {
    pump();
    return ready(answered) && ready(refused);
  }));
  CHECK(answered.get().value() == "{\"asked\":\"server_time\"}");
  CHECK(refused.get().error().is(transport::reasons::peer_error));
  agent_calls.stop();
  gateway_calls.stop();
}

#define ECP_FOR_EACH_TRANSPORT(id) TEST_CASE_TEMPLATE_INVOKE(id, Loopback, Mqtt)
TYPE_TO_STRING(Loopback);
TYPE_TO_STRING(Mqtt);
ECP_FOR_EACH_TRANSPORT(carries);
ECP_FOR_EACH_TRANSPORT(orders);
ECP_FOR_EACH_TRANSPORT(nobody);
ECP_FOR_EACH_TRANSPORT(direction);
ECP_FOR_EACH_TRANSPORT(sizes);
ECP_FOR_EACH_TRANSPORT(wills);
ECP_FOR_EACH_TRANSPORT(reconnects);
ECP_FOR_EACH_TRANSPORT(outage);
ECP_FOR_EACH_TRANSPORT(stops);
ECP_FOR_EACH_TRANSPORT(denies);
ECP_FOR_EACH_TRANSPORT(calls);
