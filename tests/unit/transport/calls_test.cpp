// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <optional>

#include <ecp/core/reasons.hpp>
#include <ecp/transport/calls.hpp>
#include <ecp/transport/loopback.hpp>
#include <ecp/transport/reasons.hpp>

using namespace ecp;
using namespace std::chrono_literals;
using transport::Channel;

namespace {

/// Both ends with their calls, in a world that moves only when told to.
struct World {
  World() {
    transport::GatewayHandlers above;
    above.on_message = [this](link::AgentId from, const Channel& channel, const Bytes& payload) {
      (void)gateway_calls.take(from, channel, payload);  // Presence is none of its.
    };
    CHECK(gateway->start(std::move(above)));
    transport::LinkHandlers below;
    below.on_message = [this](const Channel& channel, const Bytes& payload) {
      (void)agent_calls.take(channel, payload);
    };
    CHECK(link->start(std::move(below)));
    env.executor.run_ready();
  }
  transport::AnswerHandler into(std::optional<Result<std::string>>& slot) {
    return [this, &slot](Result<std::string> result) {
      ++answers;
      slot.emplace(std::move(result));
    };
  }

  ManualEnv env;
  transport::LoopbackNetwork network{env.env()};
  link::AgentId agent = env.ids.next<link::AgentId>();
  std::unique_ptr<transport::AgentGateway> gateway = network.gateway("r1");
  std::unique_ptr<transport::AgentLink> link = network.link(agent);
  transport::AgentCalls agent_calls{*link, env.env()};
  transport::GatewayCalls gateway_calls{*gateway, env.env()};
  int answers = 0;
};

}  // namespace

TEST_SUITE("transport.Calls") {
  TEST_CASE("a question that nobody answers ends with its deadline, once") {
    World world;
    world.gateway_calls.on_question(
        [](link::AgentId, const link::Question&, const transport::AnswerHandler&) {});
    std::optional<Result<std::string>> answer;
    world.agent_calls.ask({"server_time", "{}"}, 5s, world.into(answer));
    world.env.executor.advance(4s);
    CHECK_FALSE(answer);
    world.env.executor.advance(2s);
    REQUIRE(answer);
    CHECK(answer->error().code() == ErrorCode::timeout);
    world.env.executor.advance(1min);
    CHECK(world.answers == 1);
  }

  TEST_CASE("an answer after the deadline is ignored") {
    World world;
    transport::AnswerHandler reply;
    world.gateway_calls.on_question(
        [&reply](link::AgentId, const link::Question&, transport::AnswerHandler handler) {
          reply = std::move(handler);
        });
    std::optional<Result<std::string>> answer;
    world.agent_calls.ask({"server_time", "{}"}, 1s, world.into(answer));
    world.env.executor.advance(2s);
    REQUIRE(reply);
    reply(std::string("{}"));
    world.env.executor.run_ready();
    CHECK(world.answers == 1);
    CHECK(answer->error().code() == ErrorCode::timeout);
  }

  TEST_CASE("a question to an agent that is away ends at once") {
    World world;
    world.network.cut(world.agent);
    world.env.executor.run_ready();
    std::optional<Result<std::string>> answer;
    world.gateway_calls.ask(world.agent, {"x", "{}"}, 1h, world.into(answer));
    world.env.executor.run_ready();
    REQUIRE(answer);
    CHECK(answer->error().code() == ErrorCode::unavailable);
  }

  TEST_CASE("an error travels with its reason") {
    World world;
    world.agent_calls.on_question([](const link::Question&, const transport::AnswerHandler& reply) {
      reply(Error(reasons::not_found, {{"noun", "tag"}}));
    });
    std::optional<Result<std::string>> answer;
    world.gateway_calls.ask(world.agent, {"x", "{}"}, 1s, world.into(answer));
    world.env.executor.run_ready();
    REQUIRE(answer);
    CHECK(answer->error().is(transport::reasons::peer_error));
    CHECK(answer->error().message().find("core.not_found") != std::string::npos);
  }

  TEST_CASE("an agent cannot answer a question that was put to another") {
    World world;
    std::optional<Result<std::string>> answer;
    std::string asked;
    const auto victim = world.env.ids.next<link::AgentId>();
    auto other = world.network.link(victim);
    transport::LinkHandlers handlers;
    handlers.on_message = [&asked](const Channel& channel, const Bytes&) { asked = channel.label; };
    REQUIRE(other->start(std::move(handlers)));
    world.env.executor.run_ready();
    world.gateway_calls.ask(victim, {"x", "{}"}, 5s, world.into(answer));
    world.env.executor.run_ready();
    REQUIRE_FALSE(asked.empty());
    world.link->send({transport::ChannelKind::answer_up, asked, "r1"}, "{\"v\":1,\"result\":666}",
                     {});
    world.env.executor.run_ready();
    CHECK_FALSE(answer);
    other->stop();
  }

  TEST_CASE("stop answers everything that waits, and nothing is asked afterwards") {
    World world;
    world.gateway_calls.on_question(
        [](link::AgentId, const link::Question&, const transport::AnswerHandler&) {});
    std::optional<Result<std::string>> answer;
    std::optional<Result<std::string>> later;
    world.agent_calls.ask({"x", "{}"}, 1h, world.into(answer));
    world.agent_calls.stop();
    world.agent_calls.ask({"x", "{}"}, 1h, world.into(later));
    world.env.executor.run_ready();
    REQUIRE(answer);
    REQUIRE(later);
    CHECK(answer->error().code() == ErrorCode::cancelled);
    CHECK(later->error().code() == ErrorCode::cancelled);
  }
}
