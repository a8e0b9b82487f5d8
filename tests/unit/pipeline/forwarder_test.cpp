// SPDX-License-Identifier: Apache-2.0
#include <ecp/pipeline/forwarder.hpp>
#include <ecp/transport/reasons.hpp>

#include "buffer_world.hpp"

namespace wire = ecp::link;
using ecp::Milliseconds;
using ecp_test::BufferWorld;

namespace {

/// A forwarder whose messages are kept.
struct Line {
  explicit Line(Milliseconds gathering = {}) : interval(gathering) {}

  Milliseconds interval;
  BufferWorld world;
  std::vector<wire::TelemetryHead> sent;
  std::size_t largest = 0;
  std::vector<ecp::transport::ChannelKind> journals;
  bool refuses = false;
  std::vector<ecp::transport::DoneHandler> waiting;
  ecp::pipeline::Forwarder forwarder{
      *world.buffer,
      [this](const ecp::transport::Channel& channel, const ecp::Bytes& payload,
             const ecp::transport::DoneHandler& done) {
        if (refuses) waiting.push_back(done);
        if (channel.kind != ecp::transport::ChannelKind::telemetry) {
          journals.push_back(channel.kind);
          return;
        }
        const auto decoded = wire::decode_telemetry(payload);
        REQUIRE(decoded);
        CHECK(channel.label == decoded->first.stream);
        CHECK(payload.size() <= ecp::limits::batch);
        sent.push_back(decoded->first);
        largest = std::max(largest, payload.size());
      },
      world.env.env(), interval};

  void acknowledge(std::int64_t upto, std::vector<wire::NumberRange> ranges = {}) {
    auto ack = world.ack(upto);
    ack.ranges = std::move(ranges);
    const auto restarted = world.buffer->acknowledge(ack);
    REQUIRE(restarted);
    forwarder.acknowledged(ack, *restarted);
  }
  void add(int count) {
    world.store_samples(count);
    forwarder.pump();
  }
  ecp::Result<void> append_event() {
    return world.buffer->append(wire::AgentEvent{"agent.test", "one", {}});
  }
  void wait(Milliseconds time) {
    world.env.clock.advance(time);
    forwarder.pump();
  }
};

constexpr std::size_t max_payload = 256 << 10;

}  // namespace

TEST_SUITE("pipeline.Forwarder") {
  TEST_CASE("nothing is sent while the link is down, and everything once it is up") {
    Line line;
    line.add(10);
    CHECK(line.sent.empty());

    line.forwarder.link_up(max_payload);

    REQUIRE(line.sent.size() == 1);
    CHECK(line.sent[0].first == 1);
    CHECK(line.sent[0].last == 10);
  }

  TEST_CASE("a forwarder without a link asks for no turn, whatever was under way") {
    Line line;
    line.add(10);
    line.forwarder.link_up(max_payload);  // Samples and the journals' ends wait for an answer.
    CHECK(line.forwarder.wake_at() != ecp::SteadyTime::max());

    line.forwarder.link_down();
    line.wait(Milliseconds{3'600'000});

    CHECK(line.forwarder.wake_at() == ecp::SteadyTime::max());
  }

  TEST_CASE("whatever waits, the next turn lies ahead") {
    Line line{Milliseconds{1'000}};
    line.add(10);
    line.forwarder.link_up(max_payload);
    for (int i = 0; i < 500; ++i) {
      line.refuses = i % 7 == 0;
      if (i % 3 == 0) line.add(i % 5);
      if (i % 11 == 0) REQUIRE(line.append_event());
      if (i % 13 == 0) line.acknowledge(line.world.buffer->next_number(line.world.stream) - 1);
      for (const auto& done : std::exchange(line.waiting, {}))
        done(ecp::transport::reasons::nobody_listens);
      line.wait(Milliseconds{i * 37 % 900});
      CHECK(line.forwarder.wake_at() > line.world.env.clock.steady());
    }
  }

  TEST_CASE("with an interval new samples gather for it, or until a batch is full") {
    Line line{Milliseconds{10'000}};
    line.forwarder.link_up(max_payload);
    line.add(1);  // What a stream begins with is a backlog.
    line.acknowledge(1);
    line.sent.clear();
    for (int i = 0; i < 9; ++i) {
      line.add(10);
      line.wait(Milliseconds{1'000});
    }
    CHECK(line.sent.empty());
    CHECK(line.forwarder.wake_at() == line.world.env.clock.steady() + Milliseconds{1'000});
    line.wait(Milliseconds{1'000});
    REQUIRE(line.sent.size() == 1);
    CHECK(line.sent[0].last == 91);

    line.add(10);
    CHECK(line.sent.size() == 1);
    line.add(1'990);
    REQUIRE(line.sent.size() >= 2);
    CHECK(line.sent.back().last == 2'091);
  }

  TEST_CASE("an interval holds up neither journals nor a backlog") {
    Line line{Milliseconds{60'000}};
    line.add(10);
    line.forwarder.link_up(max_payload);
    line.journals.clear();
    REQUIRE(line.sent.size() == 1);
    REQUIRE(line.append_event());
    line.forwarder.pump();
    CHECK(line.journals.size() == 1);
  }

  TEST_CASE("at most eight batches of a stream wait for their ack") {
    Line line;
    line.forwarder.link_up(max_payload);

    for (int i = 0; i < 20; ++i) line.add(1);
    CHECK(line.sent.size() == 8);
    line.acknowledge(8);

    REQUIRE(line.sent.size() == 9);
    CHECK(line.sent[8].first == 9);
    CHECK(line.sent[8].last == 20);
  }

  TEST_CASE("a late ack of a former buffer forgets nothing that is under way") {
    Line line;
    line.forwarder.link_up(max_payload);
    line.add(5);
    auto late = line.world.ack(5);
    auto renew = line.world.ack(0);
    renew.renew = true;
    const auto restarted = line.world.buffer->acknowledge(renew);
    REQUIRE(restarted);
    line.forwarder.acknowledged(renew, *restarted);
    REQUIRE(line.sent.size() == 2);

    const auto again = line.world.buffer->acknowledge(late);
    REQUIRE(again);
    line.forwarder.acknowledged(late, *again);

    line.wait(Milliseconds{6'000});
    REQUIRE(line.sent.size() == 3);
    CHECK(line.sent[2].first == 1);
    CHECK(line.sent[2].last == 5);
  }

  TEST_CASE("the oldest batch is sent again after 5 s, then ever later, up to a minute") {
    Line line;
    line.forwarder.link_up(max_payload);
    line.add(1);
    line.add(1);
    REQUIRE(line.sent.size() == 2);

    line.wait(Milliseconds{4'900});
    CHECK(line.sent.size() == 2);
    line.wait(Milliseconds{1'200});
    REQUIRE(line.sent.size() == 3);
    CHECK(line.sent[2].first == 1);
    line.wait(Milliseconds{9'000});
    CHECK(line.sent.size() == 3);
    line.wait(Milliseconds{3'100});
    CHECK(line.sent.size() == 4);
    CHECK(line.forwarder.wake_at() != ecp::SteadyTime::max());
  }

  TEST_CASE("what the next hop refuses is sent again within a second, all of it") {
    Line line;
    line.forwarder.link_up(max_payload);
    line.journals.clear();
    line.refuses = true;
    for (int i = 0; i < 3; ++i) line.add(1);
    REQUIRE(line.append_event());
    line.forwarder.pump();
    for (const auto& done : line.waiting) done(ecp::transport::reasons::nobody_listens);
    line.refuses = false;
    CHECK(line.sent.size() == 3);

    line.wait(Milliseconds{200});
    CHECK(line.sent.size() == 3);
    line.wait(Milliseconds{600});

    CHECK(line.sent.size() == 6);
    CHECK(line.journals.size() == 2);
    line.acknowledge(3);
    line.wait(Milliseconds{60'000});
    CHECK(line.sent.size() == 6);
  }

  TEST_CASE("after a reconnection everything unacknowledged goes again") {
    Line line;
    line.forwarder.link_up(max_payload);
    for (int i = 0; i < 3; ++i) line.add(2);
    line.acknowledge(2, {{5, 6}});
    line.sent.clear();

    line.forwarder.link_down();
    line.add(2);
    CHECK(line.sent.empty());
    line.forwarder.link_up(max_payload);

    REQUIRE(line.sent.size() == 2);
    CHECK(line.sent[0].first == 3);
    CHECK(line.sent[0].last == 4);
    CHECK(line.sent[0].floor == 3);
    CHECK(line.sent[1].first == 7);
    CHECK(line.sent[1].last == 8);
  }

  TEST_CASE("a backlog leaves two batches to new samples, which pass it") {
    Line line;
    for (int i = 0; i < 30; ++i) line.world.store_samples(1000);
    line.forwarder.link_up(max_payload);
    CHECK(line.sent.size() == 6);

    line.add(1);
    line.add(1);
    line.add(1);

    REQUIRE(line.sent.size() == 8);
    CHECK(line.sent[6].first == 30'001);
    CHECK(line.sent[7].first == 30'002);
  }

  TEST_CASE("a backlog drains by itself, each number once, when acks come") {
    Line line;
    for (int i = 0; i < 30; ++i) line.world.store_samples(1000);
    line.forwarder.link_up(max_payload);
    std::size_t acknowledged = 0;

    while (acknowledged < line.sent.size()) line.acknowledge(line.sent[acknowledged++].last);

    CHECK(line.world.buffer->backlog().samples == 0);
    std::int64_t next = 1;
    for (const auto& head : line.sent) {
      CHECK(head.first == next);
      next = head.last + 1;
    }
    CHECK(next == 30'001);
  }

  TEST_CASE("when the buffer has a new id, everything goes again under it") {
    Line line;
    line.forwarder.link_up(max_payload);
    line.add(3);
    line.sent.clear();

    line.acknowledge(100);

    REQUIRE(line.sent.size() == 1);
    CHECK(line.sent[0].buffer_id == line.world.buffer->id());
    CHECK(line.sent[0].first == 1);
    CHECK(line.sent[0].last == 3);
  }

  TEST_CASE("a broker that takes small messages only gets small ones [R23]") {
    constexpr std::size_t small = 2'048;
    Line line;
    for (int i = 0; i < 100; ++i) line.world.store_samples(50);

    line.forwarder.link_up(small);

    CHECK(line.sent.size() == 6);
    CHECK(line.largest > small / 4);
    CHECK(line.largest <= small);
  }

  TEST_CASE("a link that is up again says where journals end that nothing waits in") {
    Line line;
    line.forwarder.link_up(max_payload);
    CHECK(line.journals.size() == 3);
    line.journals.clear();
    REQUIRE(line.append_event());
    line.forwarder.pump();
    auto ack = line.world.ack(1);
    ack.stream = "event";
    REQUIRE(line.world.buffer->acknowledge(ack));

    line.forwarder.link_up(max_payload);

    CHECK(line.journals.size() == 4);  // The event, and where all three end.
    line.forwarder.acknowledged(ack, false);
    line.wait(Milliseconds{6'200});
    CHECK(line.journals.size() == 6);  // The two that were not answered once more.
    const auto end = line.world.buffer->journal_end("event");
    REQUIRE(end);
    const auto batch = wire::parse_event_batch(*end);
    REQUIRE(batch);
    CHECK(batch->first == 2);
    CHECK(batch->items.empty());
  }

  TEST_CASE("one batch of a journal is under way at a time") {
    Line line;
    line.forwarder.link_up(max_payload);
    line.journals.clear();
    REQUIRE(line.world.buffer->append(wire::AgentEvent{"agent.test", "one", {}}));
    line.forwarder.pump();
    REQUIRE(line.world.buffer->append(wire::AgentEvent{"agent.test", "two", {}}));
    line.forwarder.pump();
    CHECK(line.journals.size() == 1);

    auto ack = line.world.ack(1);
    ack.stream = "event";
    const auto restarted = line.world.buffer->acknowledge(ack);
    REQUIRE(restarted);
    line.forwarder.acknowledged(ack, *restarted);

    CHECK(line.journals.size() == 2);
  }
}
