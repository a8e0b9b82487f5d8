// SPDX-License-Identifier: Apache-2.0
#include "buffer_world.hpp"

namespace wire = ecp::link;
using ecp_test::BufferWorld;

namespace {

std::vector<ecp::series::Sample> samples_of(const ecp::pipeline::Buffer::Batch& batch) {
  auto samples = ecp::series::decode_samples(batch.body);
  REQUIRE(samples);
  return std::move(*samples);
}

wire::EdgeAlarmRules too_hot(wire::EdgeServiceId service) {
  wire::EdgeAlarmRule rule;
  rule.id = wire::AlarmRuleId(ecp::IdBytes{3});
  rule.revision = 1;
  rule.service = service;
  rule.tag = "furnace/fast/counter";
  rule.threshold = 8;
  wire::EdgeAlarmRules rules;
  rules.rules.push_back(rule);
  return rules;
}

std::vector<wire::Transition> transitions_of(ecp::pipeline::Buffer& buffer) {
  auto part = buffer.journal_part("alarm");
  REQUIRE(part);
  if (!*part) return {};
  auto batch = wire::parse_alarm_batch((*part)->document);
  REQUIRE(batch);
  return batch->items;
}

}  // namespace

TEST_SUITE("pipeline.Buffer") {
  TEST_CASE("samples are numbered from 1 in the order they were added") {
    BufferWorld world;

    world.store_samples(3);
    world.store_samples(2);

    const auto batch = world.all();
    CHECK(batch.head.buffer_id == world.buffer->id());
    CHECK(batch.head.first == 1);
    CHECK(batch.head.last == 5);
    CHECK(batch.head.floor == 1);
    CHECK(samples_of(batch).size() == 5);
  }

  TEST_CASE("what has no committed number is never handed out") {
    BufferWorld world;

    world.buffer->add(world.service, BufferWorld::samples(3));

    const auto batch = world.buffer->batch(world.stream, 1, 1000, 1 << 20, ecp::Time{});
    REQUIRE(batch);
    CHECK_FALSE(*batch);
  }

  TEST_CASE("numbers go on after a power cut, and neither the file's id nor a sample changes") {
    BufferWorld world;
    world.store_samples(3);
    const auto id = world.buffer->id();
    world.buffer->add(world.service, BufferWorld::samples(5));

    world.power_cut();
    world.store_samples(2);

    CHECK(world.buffer->id() == id);
    const auto batch = world.all();
    CHECK(batch.head.first == 1);
    CHECK(batch.head.last == 5);
    CHECK(world.buffer->backlog().samples == 5);
  }

  TEST_CASE("numbers do not restart when everything was acknowledged before the cut") {
    BufferWorld world;
    world.store_samples(3);
    REQUIRE(world.buffer->acknowledge(world.ack(3)));
    world.power_cut();

    world.store_samples(1);

    CHECK(world.all().head.first == 4);
  }

  TEST_CASE("a flush that fails keeps everything for the next one, numbered once") {
    BufferWorld world;
    world.buffer->add(world.service, BufferWorld::samples(3));
    world.faulty->fail_next_commit();

    CHECK_FALSE(world.buffer->flush());
    world.buffer->add(world.service, BufferWorld::samples(1));
    CHECK(world.buffer->flush());

    CHECK(world.all().head.last == 4);
  }

  TEST_CASE("an ack removes what it names and nothing else") {
    BufferWorld world;
    for (int i = 0; i < 4; ++i) world.store_samples(2);
    auto ack = world.ack(2);
    ack.ranges = {{5, 6}};

    const auto restarted = world.buffer->acknowledge(ack);

    REQUIRE(restarted);
    CHECK_FALSE(*restarted);
    CHECK(world.buffer->backlog().samples == 4);
    const auto batch = world.all();
    CHECK(batch.head.first == 3);
    CHECK(batch.head.last == 4);
    CHECK(batch.head.floor == 3);
  }

  TEST_CASE("a repeated ack and one of another file change nothing") {
    BufferWorld world;
    world.store_samples(4);
    auto foreign = world.ack(4);
    foreign.buffer_id = "another";

    CHECK(world.buffer->acknowledge(foreign));
    CHECK(world.buffer->backlog().samples == 4);
    CHECK(world.buffer->acknowledge(world.ack(4)));
    CHECK(world.buffer->acknowledge(world.ack(4)));

    CHECK(world.buffer->backlog().samples == 0);
  }

  TEST_CASE(
      "an ack for an earlier run of the agent changes nothing: its disk may be an older one") {
    BufferWorld world;
    world.store_samples(4);
    auto ack = world.ack(4);
    ack.life = world.all().head.life;
    REQUIRE_FALSE(ack.life.empty());
    world.power_cut();
    CHECK(world.all().head.life != ack.life);

    const auto late = world.buffer->acknowledge(ack);
    REQUIRE(late);
    CHECK_FALSE(*late);
    CHECK(world.buffer->backlog().samples == 4);
    ack.life = world.all().head.life;
    CHECK(world.buffer->acknowledge(ack));
    CHECK(world.buffer->backlog().samples == 0);
  }

  TEST_CASE("when an ack shows that the plane has more than was given, nothing of it is believed") {
    BufferWorld world;
    world.store_samples(4);
    auto ack = world.ack(2);
    ack.highest = 5;
    const auto restarted = world.buffer->acknowledge(ack);
    REQUIRE(restarted);
    CHECK(*restarted);
    CHECK(world.buffer->backlog().samples == 4);
  }

  TEST_CASE("when the plane has more than was given, the rest gets new numbers in a new buffer") {
    BufferWorld world;
    world.store_samples(2);
    world.store_samples(3);
    const auto before = world.buffer->id();
    REQUIRE(world.buffer->acknowledge(world.ack(2)));

    const auto restarted = world.buffer->acknowledge(world.ack(99));

    REQUIRE(restarted);
    CHECK(*restarted);
    CHECK(world.buffer->id() != before);
    const auto batch = world.all();
    CHECK(batch.head.first == 1);
    CHECK(batch.head.last == 3);
    const auto event = world.buffer->journal_part("event");
    REQUIRE(event);
    REQUIRE(*event);
    CHECK((*event)->document.find("agent.buffer_renewed") != std::string::npos);
    world.power_cut();
    CHECK(world.all().head.last == 3);
  }

  TEST_CASE("the plane may ask for a new buffer id") {
    BufferWorld world;
    world.store_samples(2);
    auto ack = world.ack(0);
    ack.renew = true;

    const auto restarted = world.buffer->acknowledge(ack);
    const auto again = world.buffer->acknowledge(ack);

    CHECK(*restarted);
    CHECK_FALSE(*again);
  }

  TEST_CASE("a renewed buffer tells each alarm again, also after a power cut") {
    BufferWorld world;
    REQUIRE(world.buffer->set_rules(too_hot(world.service)));
    world.buffer->add(world.service, BufferWorld::samples(10, world.env.clock.now()));
    REQUIRE(world.buffer->flush());
    const auto raised = transitions_of(*world.buffer);
    REQUIRE(raised.size() == 1);
    auto ack = world.ack(1);
    ack.stream = "alarm";
    REQUIRE(world.buffer->acknowledge(ack));
    REQUIRE(transitions_of(*world.buffer).empty());
    ack.renew = true;

    REQUIRE(world.buffer->acknowledge(ack));
    world.power_cut();
    REQUIRE(world.buffer->set_rules(too_hot(world.service)));
    auto hot = BufferWorld::samples(10, world.env.clock.now());
    hot.erase(hot.begin(), hot.begin() + 9);
    world.buffer->add(world.service, std::move(hot));
    REQUIRE(world.buffer->flush());

    const auto again = transitions_of(*world.buffer);
    REQUIRE(again.size() == 1);
    CHECK(again[0].raised == raised[0].raised);
  }

  TEST_CASE("a renewed buffer also tells what was never judged: an alarm may stand from before") {
    BufferWorld world;
    const auto judge_cold = [&] {
      REQUIRE(world.buffer->set_rules(too_hot(world.service)));
      world.buffer->add(world.service, BufferWorld::samples(1, world.env.clock.now()));
      REQUIRE(world.buffer->flush());
      return transitions_of(*world.buffer);
    };
    SUBCASE("the first one tells nothing") { CHECK(judge_cold().empty()); }
    SUBCASE("a renewed one tells it clear, also after a power cut") {
      world.store_samples(1);
      auto ack = world.ack(0);
      ack.renew = true;
      REQUIRE(world.buffer->acknowledge(ack));
      world.power_cut();
      const auto told = judge_cold();
      REQUIRE(told.size() == 1);
      CHECK_FALSE(told[0].raised);
      CHECK(judge_cold().size() == 1);
    }
  }

  TEST_CASE("a renewed buffer says which samples had other numbers, also after a power cut") {
    BufferWorld world;
    world.store_samples(3);
    CHECK(world.all().head.renumbered == 0);
    auto ack = world.ack(0);
    ack.renew = true;

    REQUIRE(world.buffer->acknowledge(ack));
    world.power_cut();
    world.store_samples(2);

    CHECK(world.all().head.renumbered == 3);
    REQUIRE(world.buffer->acknowledge(world.ack(3)));
    CHECK(world.all().head.renumbered == 0);
  }

  TEST_CASE("a full buffer drops the oldest samples and says which [R23]") {
    BufferWorld world(1000);
    for (int i = 0; i < 40; ++i) world.store_samples(50);

    const auto batch = world.all();

    CHECK(batch.head.last == 2000);
    REQUIRE(batch.head.dropped.size() == 1);
    CHECK(batch.head.dropped[0].first == 1);
    CHECK(batch.head.dropped[0].second == batch.head.first - 1);
    CHECK(batch.head.floor == 1);
    CHECK(world.buffer->backlog().dropped == batch.head.first - 1);
    CHECK(world.buffer->backlog().samples + world.buffer->backlog().dropped == 2000);
    REQUIRE(world.buffer->acknowledge(world.ack(batch.head.last)));
    world.store_samples(1);
    CHECK(world.all().head.dropped.empty());
  }

  TEST_CASE("dropped ranges are told by the new buffer, too") {
    BufferWorld world(1000);
    for (int i = 0; i < 40; ++i) world.store_samples(50);
    const auto before = world.all().head;

    REQUIRE(world.buffer->acknowledge(world.ack(5000)));

    const auto after = world.all().head;
    CHECK(after.dropped == before.dropped);
    CHECK(after.first == before.first);
  }

  TEST_CASE("samples in memory are bounded while nothing can be stored") {
    BufferWorld world;
    for (int i = 0; i < 60; ++i) world.buffer->add(world.service, BufferWorld::samples(1000));

    REQUIRE(world.buffer->flush());

    CHECK(world.buffer->backlog().samples + world.buffer->backlog().dropped == 60'000);
    CHECK(world.buffer->backlog().samples <= 50'000);
    CHECK(world.buffer->next_number(world.stream) == 60'001);
  }

  TEST_CASE("services that take turns share the memory, and each is stored in one piece") {
    BufferWorld world;
    const ecp::link::EdgeServiceId other{ecp::IdBytes{8}};
    world.faulty->fail_next_commit();
    for (int i = 0; i < 30'000; ++i) {
      world.buffer->add(world.service, BufferWorld::samples(1));
      world.buffer->add(other, BufferWorld::samples(1));
      if (i == 20'000) CHECK_FALSE(world.buffer->flush());
    }

    REQUIRE(world.buffer->flush());

    const auto backlog = world.buffer->backlog();
    CHECK(backlog.samples + backlog.dropped == 60'000);
    CHECK(backlog.samples <= 50'000);
    for (const auto& stream : world.buffer->streams()) {
      CHECK(world.buffer->next_number(stream) == 30'001);
      const auto batch = world.buffer->batch(stream, 1, 30'000, 1 << 20, ecp::Time{});
      REQUIRE(batch);
      REQUIRE(*batch);
      const auto& head = (*batch)->head;
      REQUIRE(head.dropped.size() == 1);
      CHECK(head.dropped[0] == wire::NumberRange{1, head.first - 1});
      CHECK(head.last - head.first >= 1'999);
      CHECK(head.last - head.first <= 3'000);
    }
  }

  TEST_CASE("an item of a journal that cannot be read holds up none after it [R23]") {
    BufferWorld world;
    const auto append = [&](const char* text) {
      REQUIRE(world.buffer->append(wire::AgentEvent{"agent.test", text, {}}));
    };
    append("one");
    REQUIRE(world.store->write([](ecp::storage::Transaction& transaction) {
      return transaction.get<ecp::pipeline::BufferStore>().append("event", "no document");
    }));
    append("three");
    const auto texts = [&] {
      const auto part = world.buffer->journal_part("event");
      REQUIRE(part);
      REQUIRE(*part);
      auto batch = wire::parse_event_batch((*part)->document);
      REQUIRE(batch);
      std::vector<std::string> found;
      for (const auto& item : batch->items) found.push_back(item.text);
      auto ack = world.ack((*part)->last);
      ack.stream = "event";
      REQUIRE(world.buffer->acknowledge(ack));
      return found;
    };

    CHECK(texts() == std::vector<std::string>{"one"});
    CHECK(texts() ==
          std::vector<std::string>{"three", "an item of the journal event cannot be read"});
  }

  TEST_CASE("samples that cannot be read hold up none before or after them, and are told") {
    BufferWorld world;
    for (int i = 0; i < 3; ++i) world.store_samples(2);
    REQUIRE(world.store->write([&](ecp::storage::Transaction& transaction) -> ecp::Result<void> {
      auto& store = transaction.get<ecp::pipeline::BufferStore>();
      ECP_TRY_VOID(store.remove(world.stream, 3, 4));
      return store.insert({world.stream, 3, 4, "no samples"}, 100);
    }));
    world.power_cut();

    const auto before = world.all();
    CHECK(before.head.last == 2);
    CHECK(samples_of(before).size() == 2);
    REQUIRE(world.buffer->acknowledge(world.ack(2)));
    const auto after = world.all();

    CHECK(after.head.first == 5);
    CHECK(samples_of(after).size() == 2);
    CHECK(after.head.floor == 3);
    CHECK(after.head.dropped == std::vector<wire::NumberRange>{{3, 4}});
    CHECK(world.buffer->backlog().samples == 2);
    CHECK(world.buffer->backlog().dropped == 2);
    const auto event = world.buffer->journal_part("event");
    REQUIRE(event);
    REQUIRE(*event);
    CHECK((*event)->document.find("agent.samples_dropped") != std::string::npos);
    world.power_cut();
    CHECK(world.buffer->backlog().dropped == 2);
  }

  TEST_CASE("long texts never make a batch larger than a message may be [R23]") {
    BufferWorld world(8 << 20);
    auto observations = BufferWorld::samples(1000);
    for (auto& seen : observations) seen.sample.value = std::string(1000, 'x');
    world.buffer->add(world.service, std::move(observations));
    REQUIRE(world.buffer->flush());

    for (std::int64_t from = 1; from <= 1000;) {
      const auto batch = world.buffer->batch(world.stream, from, 1000, 48 << 10, ecp::Time{});
      REQUIRE(batch);
      REQUIRE(*batch);
      CHECK((*batch)->body.size() < ecp::limits::batch);
      from = (*batch)->head.last + 1;
    }
  }

  TEST_CASE("what is not to be reported is judged but not stored") {
    BufferWorld world;
    REQUIRE(world.buffer->set_rules(too_hot(world.service)));
    auto observations = BufferWorld::samples(10, world.env.clock.now());
    for (auto& seen : observations) seen.is_reported = false;

    world.buffer->add(world.service, std::move(observations));
    REQUIRE(world.buffer->flush());

    CHECK(world.buffer->backlog().samples == 0);
    CHECK(transitions_of(*world.buffer).size() == 1);
  }

  TEST_CASE("a transition is stored with its samples, once, and survives a power cut") {
    BufferWorld world;
    REQUIRE(world.buffer->set_rules(too_hot(world.service)));
    world.buffer->add(world.service, BufferWorld::samples(10, world.env.clock.now()));
    world.faulty->fail_next_commit();
    CHECK_FALSE(world.buffer->flush());
    CHECK(transitions_of(*world.buffer).empty());
    REQUIRE(world.buffer->flush());

    world.power_cut();
    REQUIRE(world.buffer->set_rules(too_hot(world.service)));
    auto hot = BufferWorld::samples(10, world.env.clock.now());
    hot.erase(hot.begin(), hot.begin() + 9);
    world.buffer->add(world.service, std::move(hot));
    REQUIRE(world.buffer->flush());

    CHECK(transitions_of(*world.buffer).size() == 1);
  }

  TEST_CASE("a transition that waited for more than a minute is marked late") {
    BufferWorld world;
    REQUIRE(world.buffer->set_rules(too_hot(world.service)));
    world.buffer->add(world.service, BufferWorld::samples(10, world.env.clock.now()));
    REQUIRE(world.buffer->flush());
    CHECK_FALSE(transitions_of(*world.buffer).at(0).late);

    world.env.clock.advance(ecp::Milliseconds{61'000});

    CHECK(transitions_of(*world.buffer).at(0).late);
  }

  TEST_CASE("a journal keeps its items in order until each is acknowledged") {
    BufferWorld world;
    for (const auto* text : {"one", "two", "three"}) {
      REQUIRE(world.buffer->append(wire::AgentEvent{"agent.test", text, {}}));
    }
    auto ack = world.ack(2);
    ack.stream = "event";
    REQUIRE(world.buffer->acknowledge(ack));

    const auto part = world.buffer->journal_part("event");

    REQUIRE(part);
    REQUIRE(*part);
    const auto batch = wire::parse_event_batch((*part)->document);
    REQUIRE(batch);
    CHECK(batch->first == 3);
    CHECK(batch->items.size() == 1);
    CHECK(batch->items[0].text == "three");
  }
}
