// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <functional>
#include <stdexcept>
#include <utility>

#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

using transport::ChannelKind;

/// A store whose writes fail, or throw, while a test says so.
class Ill final : public storage::Store {
 public:
  using Unit = std::function<Result<void>(storage::Transaction&)>;
  explicit Ill(storage::Store& real) : real_(real) {}
  void async_write(Unit unit, std::function<void(Result<void>)> handler) override {
    real_.async_write(std::move(unit), std::move(handler));
  }
  void close() noexcept override {}

  bool is_ill = false;
  bool throws = false;

 private:
  Result<void> run_write(const Unit& unit) override {
    if (throws) throw std::runtime_error("a defect of the store");
    if (is_ill) return Error(ecp::reasons::unavailable, {{"what", "the database"}});
    return real_.write(unit);
  }
  Result<void> run_read(const Unit& unit) override { return real_.read(unit); }

  storage::Store& real_;
};

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
    if (channel.kind == ChannelKind::answer_down) answers.push_back(payload);
    if (channel.kind == ChannelKind::question_down) questions.push_back(channel.label);
    done({});
  }
  void deny(link::AgentId) override {}
  void set_denied(std::span<const link::AgentId>) override {}
  [[nodiscard]] const std::string& replica() const noexcept override { return name; }
  [[nodiscard]] std::uint64_t dropped() const noexcept override { return lost; }

  std::uint64_t lost = 0;
  std::string name = "mouth";
  transport::GatewayHandlers handlers;
  std::vector<link::Ack> acks;
  std::vector<std::string> answers;
  std::vector<std::string> questions;  ///< Their ids.
};

/// A node with a service, and an engine that hears what a test says, in one breath.
struct Site {
  explicit Site(const Limits& limits = default_limits, bool has_replicas = false)
      : world(1, limits), options{.has_replicas = has_replicas} {
    REQUIRE(engine.start());
  }

  void say(EdgeNodeId from, ChannelKind kind, Bytes payload, const std::string& label = {}) {
    mouth.handlers.on_message(from, {kind, label, {}}, std::move(payload));
  }
  void birth(EdgeNodeId from, std::int64_t connection) {
    say(from, ChannelKind::presence, link::to_json(link::Presence{true, connection, "1.0"}));
  }
  void beat(EdgeNodeId from, std::int64_t connection = 1) {
    link::Heartbeat heartbeat;
    heartbeat.connection = connection;
    say(from, ChannelKind::state, link::to_json(heartbeat));
  }
  void beats(EdgeNodeId from, int count) {
    for (int i = 0; i < count; ++i) beat(from);
  }
  void telemetry(std::int64_t first, std::int64_t count) {
    say(id, ChannelKind::telemetry,
        telemetry_document(service, first, count, "buffer-1", world.now()), service.to_string());
  }
  /// The agent's answer to the last question.
  void tell_connection(std::int64_t connection) {
    link::Heartbeat heartbeat;
    heartbeat.connection = connection;
    heartbeat.version = "1.0";
    mouth.handlers.on_message(id, {ChannelKind::answer_up, mouth.questions.back(), mouth.replica()},
                              link::to_json(link::Answer{link::to_json(heartbeat), {}, {}}));
    world.run();
  }
  std::int64_t flips() {
    const auto names = world.audited();
    return std::count(names.begin(), names.end(), "edge_node.event");
  }
  ConnectionState state(EdgeNodeId node) { return world.node(node).status.state; }

  World world;
  EdgeNodeId id = world.add_node("press").id;
  EdgeNodeId other = world.add_node("mill").id;
  EdgeServiceId service = world.add_service(id).id;
  Mouth mouth;
  Ill store{*world.store};
  FleetEngine::Options options;
  FleetEngine engine{{store, *world.series, mouth, world.plane->live, world.plane->desired,
                      world.plane->commands, world.recorder, world.recorder, world.recorder},
                     options,
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

  TEST_CASE("an agent below what is stored is asked, since an old message was believed") {
    Site site;
    site.birth(site.id, 3);
    site.beat(site.id, 7);  // Of the life before its disk was put back, heard late.
    site.world.run();
    REQUIRE(site.world.node(site.id).status.connection == 7);
    site.beat(site.id, 3);
    site.world.run();
    REQUIRE(site.mouth.questions.size() == 1);
    CHECK(site.world.node(site.id).status.connection == 7);

    site.tell_connection(3);
    CHECK(site.world.node(site.id).status.connection == 3);
    CHECK(site.flips() == 1);
  }

  TEST_CASE("an agent that was connected before we listened is asked for its state, once") {
    Site site;
    SUBCASE("its birth was heard") {
      site.birth(site.id, 3);
      site.beat(site.id, 3);
      site.world.run();
      CHECK(site.mouth.questions.empty());
    }
    SUBCASE("a heartbeat was") {
      site.beat(site.id, 3);
      site.world.run();
      REQUIRE(site.mouth.questions.size() == 1);
      site.tell_connection(3);
      site.beat(site.id, 3);
      site.world.run();
      CHECK(site.mouth.questions.size() == 1);

      site.mouth.handlers.on_listening(false);
      site.mouth.handlers.on_listening(true);
      site.beat(site.id, 4);
      site.world.run();
      CHECK(site.mouth.questions.size() == 2);
    }
  }

  TEST_CASE("beside replicas, a birth that was overtaken costs the agent nothing") {
    Site site(default_limits, true);
    site.birth(site.id, 6);
    site.telemetry(1, 3);
    site.world.run();
    site.birth(site.id, 5);  // Heard long ago, by a replica that was frozen.
    site.telemetry(4, 3);
    site.world.run();
    CHECK(site.mouth.acks.size() == 1);  // Nothing is taken of what may be another disk.
    REQUIRE(site.mouth.questions.size() == 1);

    site.tell_connection(6);
    site.telemetry(4, 3);
    site.world.run();

    REQUIRE(site.mouth.acks.size() == 2);
    CHECK(site.mouth.acks[1].upto == 6);
    CHECK_FALSE(site.mouth.acks[1].renew);
    CHECK(site.flips() == 0);
    CHECK(site.world.node(site.id).status.connection == 6);
  }

  TEST_CASE("beside replicas, a disk of an earlier day is found by asking, also by a heartbeat") {
    Site site(default_limits, true);
    site.birth(site.id, 10);
    site.telemetry(1, 3);
    site.world.run();

    SUBCASE("the birth was heard") { site.birth(site.id, 4); }
    SUBCASE("the birth was lost with a replica") { site.beat(site.id, 4); }
    site.world.run();
    CHECK(site.flips() == 0);
    CHECK(site.world.node(site.id).status.connection == 10);
    REQUIRE(site.mouth.questions.size() == 1);
    site.tell_connection(4);
    CHECK(site.flips() == 1);
    CHECK(site.world.node(site.id).status.connection == 4);
    site.telemetry(2, 3);
    site.world.run();
    REQUIRE(site.mouth.acks.size() == 2);
    CHECK(site.mouth.acks[1].renew);
  }

  TEST_CASE("beside replicas, what was missed while we did not listen is made good by asking") {
    Site site(default_limits, true);
    site.birth(site.id, 10);
    site.telemetry(1, 3);
    site.world.run();
    site.mouth.handlers.on_listening(false);
    site.mouth.handlers.on_listening(true);  // Births went to others, who may be dead by now.
    site.telemetry(2, 5);
    site.world.run();
    CHECK(site.mouth.acks.size() == 1);
    REQUIRE(site.mouth.questions.size() == 1);

    SUBCASE("the same disk") {
      site.tell_connection(11);
      CHECK(site.flips() == 0);
      site.telemetry(4, 3);
      site.world.run();
      REQUIRE(site.mouth.acks.size() == 2);
      CHECK(site.mouth.acks[1].upto == 6);
      CHECK(site.flips() == 0);
    }
    SUBCASE("the disk of an earlier day") {
      site.tell_connection(4);
      CHECK(site.flips() == 0);  // The stored one may be a later one than the question was.
      site.tell_connection(4);
      site.telemetry(2, 5);
      site.world.run();
      REQUIRE(site.mouth.acks.size() == 2);
      CHECK(site.mouth.acks[1].renew);
      CHECK(site.flips() == 1);
    }
  }

  TEST_CASE("beside replicas, an answer that its agent's end has overtaken costs nothing") {
    Site site(default_limits, true);
    site.birth(site.id, 10);
    site.telemetry(1, 3);
    site.world.run();
    site.mouth.handlers.on_listening(false);
    site.mouth.handlers.on_listening(true);
    site.telemetry(4, 1);
    site.world.run();
    REQUIRE(site.mouth.questions.size() == 1);
    site.say(site.id, ChannelKind::presence, link::to_json(link::Presence{false, 10, "1.0"}));
    site.world.run();
    site.tell_connection(10);
    CHECK(site.flips() == 0);
    CHECK(site.state(site.id) == ConnectionState::offline);
    REQUIRE(site.mouth.questions.size() == 2);

    site.birth(site.id, 11);
    site.world.run();
    site.tell_connection(11);
    site.telemetry(4, 1);
    site.world.run();
    CHECK(site.flips() == 0);
    REQUIRE(site.mouth.acks.size() == 2);
    CHECK_FALSE(site.mouth.acks[1].renew);
  }

  TEST_CASE(
      "beside replicas, an agent in doubt is asked again until it answers, but not for ever") {
    Site site(default_limits, true);
    site.birth(site.id, 10);
    site.birth(site.id, 4);
    site.world.run();
    site.world.pass(20 * second);
    const auto asked = site.mouth.questions.size();
    CHECK(asked > 1);
    site.world.pass(600 * second);
    const auto in_all = site.mouth.questions.size();
    CHECK(in_all <= 12);
    site.world.pass(600 * second);
    CHECK(site.mouth.questions.size() == in_all);
    site.beat(site.id, 4);  // Alive after all.
    site.world.run();
    site.tell_connection(4);
    CHECK(site.flips() == 1);
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

  TEST_CASE("a birth that cannot be stored is tried again, and its telemetry waits for it") {
    Site site;
    site.birth(site.id, 10);
    site.telemetry(1, 3);
    site.world.run();
    REQUIRE(site.mouth.acks.size() == 1);

    site.store.is_ill = true;
    site.birth(site.id, 4);  // The disk of an earlier day.
    site.world.run();
    site.birth(site.id, 5);
    site.beat(site.id, 5);  // Alone, it would hide that the birth was missed.
    site.telemetry(2, 3);
    site.world.run();
    site.store.is_ill = false;
    site.telemetry(2, 3);
    site.world.run();
    CHECK(site.mouth.acks.size() == 1);

    site.world.pass(1 * second);
    CHECK(site.world.node(site.id).status.connection == 5);
    CHECK(site.flips() == 1);
    site.telemetry(2, 3);
    site.world.run();
    REQUIRE(site.mouth.acks.size() == 2);
    CHECK(site.mouth.acks[1].renew);
  }

  TEST_CASE("a birth survives a store that throws") {
    Site site;
    site.store.throws = true;
    site.birth(site.id, 1);
    site.world.run();
    site.store.throws = false;
    site.world.pass(1 * second);
    CHECK(site.state(site.id) == ConnectionState::online);
    site.telemetry(1, 3);
    site.world.run();
    CHECK(site.mouth.acks.size() == 1);
  }

  TEST_CASE("births of many agents all come through when the database is back") {
    Site site;
    std::vector<EdgeNodeId> nodes;
    for (int i = 0; i < 150; ++i) nodes.push_back(site.world.add_node(std::to_string(i)).id);
    site.store.is_ill = true;
    for (const auto node : nodes) site.birth(node, 1);
    site.world.run();
    site.world.pass(5 * second);
    site.store.is_ill = false;
    site.world.pass(2 * second);
    for (const auto node : nodes) CHECK(site.state(node) == ConnectionState::online);
  }

  TEST_CASE("[R23] births that cannot be stored pile up to a bound for each agent") {
    Site site;
    site.store.is_ill = true;
    for (int i = 1; i <= 50; ++i) {
      site.birth(site.id, i);
      site.world.run();
    }
    site.store.is_ill = false;
    site.world.pass(1 * second);
    CHECK(site.world.node(site.id).status.connection == 16);
    CHECK(site.flips() == 0);
  }

  TEST_CASE("[R23] one manifest of an agent waits at a time; the others are refused") {
    Site site;
    const link::Question question{"manifest", std::string(1'000, ' ') + "{}"};
    for (int i = 0; i < 5; ++i) {
      site.say(site.id, ChannelKind::question, link::to_json(question),
               "call-" + std::to_string(i));
    }
    site.say(site.other, ChannelKind::question, link::to_json(question), "call-9");
    site.world.run();
    const auto is_refused = [](const std::string& answer) {
      return answer.find("core.over_limit") != std::string::npos;
    };
    const auto& answers = site.mouth.answers;
    CHECK(answers.size() == 6);
    CHECK(std::count_if(answers.begin(), answers.end(), is_refused) == 4);

    site.say(site.id, ChannelKind::question, link::to_json(question), "call-10");
    site.world.run();
    CHECK_FALSE(is_refused(answers.back()));
  }

  TEST_CASE("[R23] what the gateway dropped is logged every few seconds, all of it in one line") {
    Site site;
    const auto told = [&site] {
      std::vector<std::string> lines;
      for (const auto& entry : site.world.env_.log.entries()) {
        if (entry.text.find("were dropped") != std::string::npos) lines.push_back(entry.text);
      }
      return lines;
    };
    site.world.pass(10 * second);
    CHECK(told().empty());
    site.mouth.lost = 50;
    site.world.pass(10 * second);
    REQUIRE(told().size() == 1);
    CHECK(told()[0].find("count=50") != std::string::npos);
    site.mouth.lost = 53;
    site.world.pass(10 * second);
    REQUIRE(told().size() == 2);
    CHECK(told()[1].find("count=3 since_start=53") != std::string::npos);
  }
}
