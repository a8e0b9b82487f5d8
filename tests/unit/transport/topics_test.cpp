// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <chrono>

#include <ecp/core/random.hpp>

#include "transport/backoff.hpp"
#include "transport/mqtt/topics.hpp"

using namespace ecp;
using namespace std::chrono_literals;
using namespace ecp::transport;

namespace {

link::AgentId agent_of(std::uint8_t seed) {
  IdBytes bytes{};
  bytes.fill(seed);
  return link::AgentId(bytes);
}

const std::vector<Channel> upward{
    {ChannelKind::presence, "", ""},    {ChannelKind::state, "", ""},
    {ChannelKind::reported, "", ""},    {ChannelKind::alarm, "", ""},
    {ChannelKind::event, "", ""},       {ChannelKind::telemetry, "svc_1", ""},
    {ChannelKind::question, "c-1", ""}, {ChannelKind::answer_up, "c-1", "r1"}};
const std::vector<Channel> downward{{ChannelKind::desired, "", ""},
                                    {ChannelKind::command, "", ""},
                                    {ChannelKind::ack, "", ""},
                                    {ChannelKind::answer_down, "c-1", ""},
                                    {ChannelKind::question_down, "c-1", "r1"}};

}  // namespace

TEST_SUITE("transport.Topics") {
  TEST_CASE("every channel has one topic, and comes back from it") {
    const auto agent = agent_of(7);
    std::vector<std::string> seen;
    for (const auto& channel : upward) {
      const auto topic = topics::of(agent, channel);
      auto parsed = topics::parse_up(topic);
      REQUIRE(parsed);
      CHECK(parsed->first == agent);
      CHECK(parsed->second == channel);
      CHECK_FALSE(topics::parse_down(agent, topic));
      seen.push_back(topic);
    }
    for (const auto& channel : downward) {
      const auto topic = topics::of(agent, channel);
      CHECK(topics::parse_down(agent, topic) == channel);
      CHECK_FALSE(topics::parse_up(topic));
      CHECK_FALSE(topics::parse_down(agent_of(8), topic));
      seen.push_back(topic);
    }
    std::sort(seen.begin(), seen.end());
    CHECK(std::unique(seen.begin(), seen.end()) == seen.end());
  }

  TEST_CASE("the topics are those that peers in the field use") {
    const auto agent = agent_of(0);
    const std::string base = "ecp/v1/agents/" + agent.to_string();
    CHECK(topics::of(agent, upward[0]) == base + "/up/presence");
    CHECK(topics::of(agent, upward[5]) == base + "/up/telemetry/svc_1");
    CHECK(topics::of(agent, upward[6]) == base + "/up/call/c-1");
    CHECK(topics::of(agent, upward[7]) == base + "/to/r1/result/c-1");
    CHECK(topics::of(agent, downward[3]) == base + "/down/result/c-1");
    CHECK(topics::of(agent, downward[4]) == base + "/down/call/r1/c-1");
    CHECK(topics::agent_filter(agent) == base + "/down/#");
  }

  TEST_CASE("beside others a replica hears all presence, and shares what any of them can do") {
    const std::string any = "ecp/v1/agents/+/";
    const auto alone = topics::gateway_filters("r1", "");
    CHECK(alone == std::vector<std::string>{any + "to/r1/#", any + "up/#"});
    const auto shared = topics::gateway_filters("r1", "group");
    const auto has = [&](const std::string& filter) {
      return std::count(shared.begin(), shared.end(), filter) == 1;
    };
    CHECK(has(any + "to/r1/#"));
    CHECK(has(any + "up/presence"));
    CHECK(has(any + "up/state"));
    CHECK(has("$share/group/" + any + "up/telemetry/+"));
    CHECK(has("$share/group/" + any + "up/reported"));
    CHECK(has("$share/group/" + any + "up/alarm"));
    CHECK(has("$share/group/" + any + "up/event"));
    CHECK(has("$share/group/" + any + "up/call/+"));
    CHECK(has("ecp/v1/ecpd/changed"));
    CHECK(shared.size() == 9);
  }

  TEST_CASE("[R24] topics of nobody are read over, whatever they are") {
    const auto agent = agent_of(7);
    const auto base = "ecp/v1/agents/" + agent.to_string();
    for (const auto& topic :
         {std::string(), std::string("/"), std::string("ecp/v1/agents/"), base, base + "/",
          base + "/up", base + "/up/", base + "/up/unknown", base + "/up/state/more",
          base + "/up/telemetry", base + "/up/telemetry/", base + "/up/telemetry/a/b",
          base + "/up/telemetry/A", base + "/to//result/1", base + "/to/r1/result",
          base + "/to/r1/state", std::string("ecp/v1/agents/node_/up/state"),
          std::string("ecp/v2/agents/x/up/state")}) {
      CAPTURE(topic);
      CHECK_FALSE(topics::parse_up(topic));
    }
    SeededRandom random(3);
    const auto good = topics::of(agent, upward[7]);
    for (int round = 0; round < 10'000; ++round) {
      std::string topic = good.substr(0, random.below(good.size() + 1));
      if (!topic.empty()) {
        topic[static_cast<std::size_t>(random.below(topic.size()))] =
            static_cast<char>(random.below(256));
      }
      const auto parsed = topics::parse_up(topic);
      if (parsed) CHECK(topics::of(parsed->first, parsed->second) == topic);
    }
  }

  TEST_CASE("retries are never further apart than the bound given") {
    SeededRandom random(1);
    for (unsigned attempt = 0; attempt < 40; ++attempt) {
      for (int i = 0; i < 300; ++i) {
        CHECK(retry_delay(random, attempt, Milliseconds{4'000}).count() <= 4'000);
      }
    }
  }

  TEST_CASE("a connection may take longer after each failure, in a large fleet alone") {
    CHECK(connect_patience(10s, 0, 60s) == 10s);
    CHECK(connect_patience(10s, 1, 60s) == 20s);
    CHECK(connect_patience(10s, 2, 60s) == 40s);
    CHECK(connect_patience(10s, 3, 60s) == 60s);
    CHECK(connect_patience(10s, 1'000'000, 60s) == 60s);
    CHECK(connect_patience(10s, 9, 4s) == 10s);
  }

  TEST_CASE("retries spread over a quarter of the bound, at least 2 s, that doubles up to it") {
    SeededRandom random(1);
    for (const std::int64_t cap : {4'000, 20'000, 60'000}) {
      const auto first = std::max<std::int64_t>(2'000, cap / 4);
      for (unsigned attempt = 0; attempt < 40; ++attempt) {
        const auto bound = std::min<std::int64_t>(cap, first << std::min(attempt, 20U));
        std::int64_t longest = 0;
        for (int i = 0; i < 300; ++i) {
          const auto delay = retry_delay(random, attempt, Milliseconds{cap}).count();
          CHECK(delay >= 0);
          CHECK(delay <= bound);
          longest = std::max<std::int64_t>(longest, delay);
        }
        CHECK(longest > bound * 9 / 10);
      }
    }
  }
}
