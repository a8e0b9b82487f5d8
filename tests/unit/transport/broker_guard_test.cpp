// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/file.hpp>
#include <ecp/transport/broker.hpp>

#include "peer.hpp"
#include "transport/direction.hpp"
#include "transport/mqtt/topics.hpp"

using namespace ecp;
using namespace ecp::tests;
using transport::Channel;
using transport::ChannelKind;

namespace {

constexpr int first_refusal = 0x80;

/// The broker, the plane's own client, and two agents who listen to what is theirs.
struct Site {
  MemoryLog log;
  RealEnv real{log, 1};
  Env env = real.env();
  LiveBroker broker{env};
  std::string a = env.ids.next<link::AgentId>().to_string();
  std::string b = env.ids.next<link::AgentId>().to_string();
  Peer plane{broker, broker.replica_tls("r1"), "ecpd-r1"};
  Peer agent_a{broker, broker.agent_tls(a), a};
  Peer agent_b{broker, broker.agent_tls(b), b};

  Site() {
    REQUIRE(plane.subscribe("ecp/v1/agents/+/up/#") == 1);
    REQUIRE(plane.subscribe("ecp/v1/agents/+/to/r1/#") == 1);
    REQUIRE(plane.subscribe("ecp/v1/ecpd/#") == 1);
    REQUIRE(agent_a.subscribe(of(a, "down/#")) == 1);
    REQUIRE(agent_b.subscribe(of(b, "down/#")) == 1);
  }
  static std::string of(const std::string& agent, const std::string& rest) {
    return "ecp/v1/agents/" + agent + "/" + rest;
  }
  /// After this every witness has got whatever was routed before.
  void settle(const std::string& marker) {
    REQUIRE(plane.publish("ecp/v1/ecpd/changed", marker) == 0);
    REQUIRE(plane.publish(of(a, "down/ack"), marker) == 0);
    REQUIRE(plane.publish(of(b, "down/ack"), marker) == 0);
    for (auto* peer : {&plane, &agent_a, &agent_b}) {
      REQUIRE(peer->run([peer, &marker] { return peer->has(marker); }));
    }
  }
  /// Every topic that might matter, and whether agent `a` may publish there.
  [[nodiscard]] std::vector<std::pair<std::string, bool>> topics() const {
    std::vector<std::pair<std::string, bool>> rows;
    for (int i = 0; i <= static_cast<int>(ChannelKind::question_down); ++i) {
      const auto kind = static_cast<ChannelKind>(i);
      const Channel channel{kind, "s1", "r1"};
      rows.emplace_back(transport::topics::of(*link::AgentId::parse(a), channel),
                        transport::goes_up(kind));
      rows.emplace_back(transport::topics::of(*link::AgentId::parse(b), channel), false);
    }
    for (const auto* rest : {"other/x", "down", ""}) {
      rows.emplace_back(of(a, rest), false);
      rows.emplace_back(of(b, rest), false);
    }
    for (const auto* topic : {"x", "/", "ecp", "ecp/v1", "ecp/v1/agents", "ecp/v1/ecpd/changed",
                              "ecp/v2/x", "$CONTROL/ecp/v1", "$CONTROL/dynamic-security/v1"}) {
      rows.emplace_back(topic, false);
    }
    return rows;
  }
};

}  // namespace

TEST_SUITE("transport.BrokerGuard") {
  TEST_CASE("[R19] published messages arrive where they may and nowhere else") {
    Site site;
    int number = 0;
    std::vector<std::pair<Bytes, bool>> sent;
    for (const auto& row : site.topics()) {
      CAPTURE(row.first);
      const Bytes payload = "publish " + std::to_string(number++);
      const int code = site.agent_a.publish(row.first, payload);
      CHECK((code < first_refusal) == row.second);
      sent.emplace_back(payload, row.second);
    }
    site.settle("end");
    for (const auto& message : sent) {
      CAPTURE(message.first);
      CHECK(site.plane.has(message.first) == message.second);
      CHECK_FALSE(site.agent_a.has(message.first));
      CHECK_FALSE(site.agent_b.has(message.first));
    }
  }

  TEST_CASE("[R19] a will is published where its agent may publish and nowhere else") {
    Site site;
    int number = 0;
    std::vector<std::pair<Bytes, bool>> sent;
    for (const auto& row : site.topics()) {
      if (row.first.back() == '/') continue;
      CAPTURE(row.first);
      const transport::MqttConnection::Will will{row.first, "will " + std::to_string(number++),
                                                 false};
      Peer guest(site.broker, site.broker.agent_tls(site.a), site.a, &will);
      guest.leave();
      sent.emplace_back(will.payload, row.second);
    }
    for (const auto& message : sent) {
      if (!message.second) continue;
      CHECK(site.plane.run([&] { return site.plane.has(message.first); }));
    }
    REQUIRE(site.plane.publish(Site::of(site.b, "down/ack"), "end") == 0);
    REQUIRE(site.agent_b.run([&] { return site.agent_b.has("end"); }));
    for (const auto& message : sent) {
      CAPTURE(message.first);
      CHECK(site.plane.has(message.first) == message.second);
      CHECK_FALSE(site.agent_b.has(message.first));
    }
  }

  TEST_CASE("[R19] nothing is retained, published or by will, and by nobody") {
    Site site;
    CHECK(site.agent_a.publish(Site::of(site.a, "up/state"), "kept", true) >= first_refusal);
    CHECK(site.plane.publish(Site::of(site.a, "down/desired"), "kept", true) >= first_refusal);
    const transport::MqttConnection::Will will{Site::of(site.b, "up/presence"), "kept", true};
    {
      Peer guest(site.broker, site.broker.agent_tls(site.b), site.b, &will);
      guest.leave();
    }
    Peer late(site.broker, site.broker.replica_tls("r2"), "ecpd-r2");
    REQUIRE(late.subscribe("ecp/v1/agents/+/up/#") == 1);
    REQUIRE(site.agent_a.publish(Site::of(site.a, "up/state"), "end") == 0);
    REQUIRE(late.run([&] { return late.has("end"); }));
    CHECK(late.received.size() == 1);
  }

  TEST_CASE("[R19] an agent hears its own messages alone, whatever it subscribes to") {
    Site site;
    std::vector<std::string> filters{"#",
                                     "+/#",
                                     "+",
                                     "$SYS/#",
                                     "$CONTROL/#",
                                     "ecp/#",
                                     "ecp/v1/agents/#",
                                     "ecp/v1/agents/+/down/#",
                                     "ecp/v1/agents/+/up/#",
                                     "ecp/v1/ecpd/#"};
    for (const auto& agent : {site.a, site.b}) {
      for (const auto* rest : {"#", "+/#", "up/#", "to/#", "to/r1/#", "down"}) {
        filters.push_back(Site::of(agent, rest));
      }
    }
    filters.push_back(Site::of(site.b, "down/#"));
    const auto plain = filters;
    for (const auto& filter : plain) filters.push_back("$share/group/" + filter);
    filters.push_back("$share/group/" + Site::of(site.a, "down/#"));
    for (const auto& filter : filters) {
      CAPTURE(filter);
      CHECK(site.agent_a.subscribe(filter) >= first_refusal);
    }
    CHECK(site.agent_a.subscribe(Site::of(site.a, "down/desired")) == 1);

    REQUIRE(site.plane.publish(Site::of(site.b, "down/desired"), "for b") == 0);
    REQUIRE(site.plane.publish("ecp/v1/ecpd/changed", "for replicas") == 0);
    REQUIRE(site.agent_b.publish(Site::of(site.b, "up/state"), "from b") == 0);
    REQUIRE(site.agent_b.publish(Site::of(site.b, "to/r1/result/1"), "answer of b") == 0);
    site.settle("end");

    for (const auto& message : site.agent_a.received) CHECK(message.second == "end");
    CHECK(site.plane.has("from b"));
    CHECK(site.plane.has("answer of b"));
    CHECK(site.agent_b.has("for b"));
  }

  TEST_CASE(
      "[R19] a client id is replaced by the certificate's name, so that nobody takes another's "
      "session") {
    Site site;
    Peer thief(site.broker, site.broker.agent_tls(site.a), site.b);
    REQUIRE(thief.accepted());
    CHECK(thief.publish(Site::of(site.b, "up/state"), "forged") >= first_refusal);
    CHECK(thief.publish(Site::of(site.a, "up/state"), "own") == 0);
    // The one taken over is the one with the same certificate name.
    CHECK(site.agent_b.publish(Site::of(site.b, "up/state"), "b lives") == 0);
    CHECK(site.agent_a.publish(Site::of(site.a, "up/state"), "x") == 255);
    CHECK_FALSE(site.plane.has("forged"));
  }

  TEST_CASE("[R19] names with topic characters get nothing, even from our own authority") {
    Site site;
    for (const auto* name : {"admin", "node_", "ecp", "r1", "node_xyz"}) {
      CAPTURE(name);
      Peer guest(site.broker, site.broker.agent_tls(name), name);
      REQUIRE(guest.accepted());
      CHECK(guest.publish(Site::of(name, "up/state"), "x") >= first_refusal);
      CHECK(guest.subscribe(Site::of(name, "down/#")) >= first_refusal);
      CHECK(guest.subscribe("#") >= first_refusal);
      CHECK(guest.publish("$CONTROL/ecp/v1", "set") >= first_refusal);
    }
  }

  TEST_CASE("a revoked agent is cut at once, and what it sends after coming back is refused") {
    Site site;
    REQUIRE(site.plane.publish("$CONTROL/ecp/v1", "add\n" + site.a) == 0);
    const auto begin = std::chrono::steady_clock::now();
    CHECK_FALSE(site.agent_a.run([] { return false; }));
    CHECK(std::chrono::steady_clock::now() - begin < std::chrono::seconds(5));

    Peer again(site.broker, site.broker.agent_tls(site.a), site.a);
    if (again.accepted()) {
      CHECK(again.subscribe(Site::of(site.a, "down/#")) >= first_refusal);
      // And it is cut again for having tried.
      CHECK_FALSE(again.run([] { return false; }));
    }
    CHECK(site.agent_b.publish(Site::of(site.b, "up/state"), "b lives") == 0);

    REQUIRE(site.plane.publish("$CONTROL/ecp/v1", "set") == 0);
    Peer pardoned(site.broker, site.broker.agent_tls(site.a), site.a);
    CHECK(pardoned.publish(Site::of(site.a, "up/state"), "back") == 0);
  }

  TEST_CASE("an agent revoked while the broker is down gets nothing from it when it starts [R15]") {
    Site site;
    const auto id = link::AgentId::parse(site.a);
    REQUIRE(id);
    auto gateway = site.broker.gateway("r2");
    site.broker.stop();
    gateway->set_denied(std::vector<link::AgentId>{*id});

    site.broker.restart();

    Peer revoked(site.broker, site.broker.agent_tls(site.a), site.a);
    if (revoked.accepted()) CHECK(revoked.subscribe(Site::of(site.a, "down/#")) >= first_refusal);
    Peer other(site.broker, site.broker.agent_tls(site.b), site.b);
    CHECK(other.publish(Site::of(site.b, "up/state"), "b lives") < first_refusal);
  }

  TEST_CASE("a broker that cannot understand its file of revoked agents serves nobody [R21]") {
    Site site;
    site.broker.stop();
    REQUIRE(write_file_durably(transport::deny_path(site.broker.options().folder), "set\nnode_"));

    CHECK_FALSE(transport::SupervisedBroker::start(site.broker.options(), site.env));
  }

  TEST_CASE("a deny set that is not understood changes nothing and is reported") {
    Site site;
    REQUIRE(site.plane.publish("$CONTROL/ecp/v1", "set\n" + site.b) == 0);
    for (const Bytes text : {"", "set\n#", "clear", "set\nadmin"}) {
      CHECK(site.plane.publish("$CONTROL/ecp/v1", text) == 0);
    }
    CHECK(site.agent_a.publish(Site::of(site.a, "up/state"), "x") == 0);
    CHECK(site.agent_b.publish(Site::of(site.b, "up/state"), "x") >= first_refusal);
    CHECK(eventually([&] { return site.log.contains("a control message was refused"); }));
  }

  TEST_CASE("[R23] a packet over the limit ends its session, and the broker goes on") {
    Site site;
    CHECK(site.agent_a.publish(Site::of(site.a, "up/state"), Bytes(300 * 1024, 'x')) >=
          first_refusal);
    CHECK(site.agent_b.publish(Site::of(site.b, "up/state"), "x") == 0);
  }
}
