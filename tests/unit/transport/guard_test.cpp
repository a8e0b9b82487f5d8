// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/random.hpp>

#include "transport/mqtt/deny_set.hpp"
#include "transport/mqtt/plugin/guard.hpp"
#include "transport/mqtt/topics.hpp"

using namespace ecp;
using namespace ecp::transport;
using guard::Action;

namespace {

const std::string own = "node_01m7yt3cc1et2r7sbw39e3w2f6";
const std::string other = "node_01m7yt3cc1et2r7sbw39e3w2f7";
const std::string base = "ecp/v1/agents/";

bool may(std::string_view name, Action action, std::string_view topic, bool retain = false) {
  return guard::allows({name, topic, action, retain});
}

}  // namespace

TEST_SUITE("transport.Guard") {
  TEST_CASE("[R19] an agent publishes only below its own up/ and to/") {
    CHECK(may(own, Action::publish, base + own + "/up/state"));
    CHECK(may(own, Action::publish, base + own + "/to/r1/result/7"));
    for (const auto& topic :
         {base + own + "/down/desired", base + own + "/up", base + own + "/up/", base + own,
          base + other + "/up/state", base + own + "x/up/state", std::string("up/state"),
          std::string("$CONTROL/ecp/v1"), std::string("$SYS/x"), std::string("ecp/v1/ecpd/changed"),
          base + own + "/up/#", base + own + "/up/+/x", "/" + base + own + "/up/state",
          std::string()}) {
      CAPTURE(topic);
      CHECK_FALSE(may(own, Action::publish, topic));
    }
  }

  TEST_CASE("[R19] an agent subscribes and receives only below its own down/") {
    for (const auto action : {Action::subscribe, Action::unsubscribe, Action::deliver}) {
      CHECK(may(own, action, base + own + "/down/#"));
      CHECK(may(own, action, base + own + "/down/desired"));
      for (const auto& topic :
           {std::string("#"), std::string("+/#"), std::string("$SYS/#"), base + "#",
            base + "+/down/#", base + own + "/#", base + own + "/up/#", base + own + "/down",
            base + other + "/down/#", "$share/g/" + base + own + "/down/#",
            "$share/g/" + base + "+/up/#", "$queue/" + base + own + "/down/#"}) {
        CAPTURE(topic);
        CHECK_FALSE(may(own, action, topic));
      }
    }
  }

  TEST_CASE("[R19] nobody leaves retained messages") {
    CHECK_FALSE(may(own, Action::publish, base + own + "/up/state", true));
    CHECK_FALSE(may("ecpd-r1", Action::publish, base + own + "/down/desired", true));
  }

  TEST_CASE("a replica does the cloud's side and no agent's") {
    CHECK(may("ecpd-r1", Action::subscribe, base + "+/up/#"));
    CHECK(may("ecpd-r1", Action::subscribe, base + "+/to/r1/#"));
    CHECK(may("ecpd-r1", Action::subscribe, "$share/g/" + base + "+/up/#"));
    CHECK(may("ecpd-r1", Action::deliver, base + own + "/up/state"));
    CHECK(may("ecpd-r1", Action::deliver, base + own + "/to/r1/result/1"));
    CHECK(may("ecpd-r1", Action::publish, base + own + "/down/desired"));
    CHECK(may("ecpd-r1", Action::publish, "$CONTROL/ecp/v1"));
    CHECK(may("ecpd-r1", Action::publish, "ecp/v1/ecpd/changed"));
    CHECK(may("ecpd-r1", Action::subscribe, "ecp/v1/ecpd/changed"));
    CHECK_FALSE(may("ecpd-r1", Action::subscribe, base + "+/to/r2/#"));
    CHECK_FALSE(may("ecpd-r1", Action::subscribe, base + "+/to/#"));
    CHECK_FALSE(may("ecpd-r1", Action::subscribe, "#"));
    CHECK_FALSE(may("ecpd-r1", Action::subscribe, base + "+/down/#"));
    CHECK_FALSE(may("ecpd-r1", Action::publish, base + own + "/up/state"));
    CHECK_FALSE(may("ecpd-r1", Action::publish, base + "+/down/desired"));
    CHECK_FALSE(may("ecpd-r1", Action::publish, "$CONTROL/other/v1"));
  }

  TEST_CASE("[R19] names with topic characters, or of nobody, may nothing") {
    for (const std::string name :
         {"", "+", "#", "node_", "node_+", "node_#", "node_01m7yt3cc1et2r7sbw39e3w2f/",
          "node_01M7YT3CC1ET2R7SBW39E3W2F6", "ecpd-", "ecpd-+", "ecpd-a/b", "ecpd", "admin",
          "node_01m7yt3cc1et2r7sbw39e3w2f6x"}) {
      CAPTURE(name);
      for (const auto action : {Action::publish, Action::subscribe, Action::deliver}) {
        CHECK_FALSE(may(name, action, base + name + "/up/state"));
        CHECK_FALSE(may(name, action, base + name + "/down/#"));
        CHECK_FALSE(may(name, action, base + own + "/down/desired"));
        CHECK_FALSE(may(name, action, "$CONTROL/ecp/v1"));
      }
    }
  }

  TEST_CASE("the gateway's filters and topics are what the guard lets it have") {
    for (const auto* group : {"", "together"}) {
      for (const auto& filter : topics::gateway_filters("r1", group)) {
        CAPTURE(filter);
        CHECK(may("ecpd-r1", Action::subscribe, filter));
        CHECK_FALSE(may(own, Action::subscribe, filter));
      }
    }
    CHECK(may("ecpd-r1", Action::publish, topics::changed));
    CHECK_FALSE(may(own, Action::publish, topics::changed));
    const auto agent = link::AgentId::parse(own).value();
    CHECK(may(own, Action::subscribe, topics::agent_filter(agent)));
    CHECK(may(own, Action::publish, topics::of(agent, {ChannelKind::telemetry, "s", ""})));
    CHECK(may(own, Action::publish, topics::of(agent, {ChannelKind::answer_up, "c", "r1"})));
    CHECK(may("ecpd-r1", Action::publish, topics::of(agent, {ChannelKind::ack, "", ""})));
  }
}

TEST_SUITE("transport.DenySet") {
  TEST_CASE("the set is replaced, added to, and kept when a message is not understood") {
    guard::DenySet denied;
    const auto one = link::AgentId::parse(own).value();
    const auto two = link::AgentId::parse(other).value();

    for (const auto& text : deny_set::replace({one})) {
      CHECK(denied.take(text) == guard::DenySet::Outcome::replaced);
    }
    for (const auto& text : deny_set::add({two})) {
      CHECK(denied.take(text) == guard::DenySet::Outcome::added);
    }
    CHECK(denied.holds(own));
    CHECK(denied.holds(other));

    for (const std::string text : {"", "drop", "set\n#", "set\nnode_", "add\n\n", "SET"}) {
      CAPTURE(text);
      CHECK(denied.take(text) == guard::DenySet::Outcome::refused);
    }
    CHECK(denied.names().size() == 2);
    for (const auto& text : deny_set::replace({})) denied.take(text);
    CHECK(denied.names().empty());
  }

  TEST_CASE("a set of any size goes in messages that fit a packet") {
    std::vector<link::AgentId> agents;
    SeededRandom random(1);
    for (int i = 0; i < 10'000; ++i) {
      IdBytes bytes{};
      random.fill(bytes);
      agents.emplace_back(bytes);
    }
    guard::DenySet denied;
    for (const auto& text : deny_set::replace(agents)) {
      CHECK(text.size() < 200'000);
      CHECK(denied.take(text) != guard::DenySet::Outcome::refused);
    }
    CHECK(denied.names().size() == agents.size());
  }
}
