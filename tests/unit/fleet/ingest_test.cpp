// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <functional>
#include <future>
#include <mutex>
#include <thread>

#include <ecp/series/reasons.hpp>

#include "support/passing_series.hpp"
#include "world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

/// A node with a service and an agent that is connected.
struct Site {
  World world;
  EdgeNodeId id = world.add_node("press").id;
  Agent agent{world, id};
  EdgeServiceId service = world.add_service(id).id;
  std::int64_t stored() {
    return must(world.series->count({world.scope.project.bytes(), service.bytes()}));
  }
  void transitions(std::int64_t first, int count, const std::string& buffer = "journal-1") {
    link::AlarmBatch batch;
    batch.buffer_id = buffer;
    batch.first = first;
    for (int i = 0; i < count; ++i) {
      link::Transition transition;
      transition.rule = world.env_.ids.next<link::AlarmRuleId>();
      transition.service = service;
      transition.tag = "plc/fast/temperature";
      transition.at = world.now();
      batch.items.push_back(transition);
    }
    agent.send(transport::ChannelKind::alarm, link::to_json(batch));
  }
  /// An ingest of a test's own.
  IngestEngine ingest(series::SeriesStore& series) {
    return IngestEngine({*world.store, series, *world.plane->gateway, world.plane->commands,
                         world.recorder, world.plane->live},
                        world.env());
  }
  /// Five samples from the first buffer, and the same from its successor.
  std::pair<Heard, Heard> twice() {
    const transport::Channel channel{transport::ChannelKind::telemetry, service.to_string(), {}};
    auto old = telemetry_document(service, 3, 5, "buffer-1", world.now() + 5 * second);
    auto [head, body] = must(link::decode_telemetry(old));
    head.buffer_id = "buffer-2";
    head.first = 1;
    head.last = head.renumbered = 5;
    Heard renumbered{agent.id(), channel, link::encode_telemetry(head, body)};
    return {{agent.id(), channel, std::move(old)}, std::move(renumbered)};
  }
  std::vector<std::int64_t> applied() {
    std::vector<std::int64_t> numbers;
    for (const auto& one : world.recorder.transitions) numbers.push_back(one.number);
    return numbers;
  }
};

/// The world's series, with a moment of a test's own before samples are stored.
class Interrupted final : public ecp_test::PassingSeries {
 public:
  explicit Interrupted(series::SeriesStore& real)
      : PassingSeries({std::shared_ptr<void>(), &real}) {}  // The world's own.
  Result<std::vector<series::Applied>> append(
      const std::vector<std::pair<series::SeriesKey, series::NumberedBatch>>& batches) override {
    before_append();
    return PassingSeries::append(batches);
  }

  std::function<void()> before_append;
};

/// The world's series, but for one that cannot be written.
class Damaged final : public ecp_test::PassingSeries {
 public:
  Damaged(series::SeriesStore& real, IdBytes service)
      : PassingSeries({std::shared_ptr<void>(), &real}), service_(service) {}
  Result<std::vector<series::Applied>> append(
      const std::vector<std::pair<series::SeriesKey, series::NumberedBatch>>& batches) override {
    for (const auto& [key, batch] : batches) {
      if (key.service == service_) {
        return Error(series::reasons::damaged_folder, {{"path", "series/day"}});
      }
    }
    return PassingSeries::append(batches);
  }

 private:
  IdBytes service_;
};

/// The world's store, which says when the first unit that writes is over.
class Announcing final : public storage::Store {
 public:
  using Unit = std::function<Result<void>(storage::Transaction&)>;
  explicit Announcing(storage::Store& real) : real_(real) {}
  void async_write(Unit unit, std::function<void(Result<void>)> handler) override {
    real_.async_write(std::move(unit), std::move(handler));
  }
  void close() noexcept override {}

  std::promise<void> written;  ///< Once, by the first that is over.

 private:
  Result<void> run_write(const Unit& unit) override {
    auto outcome = real_.write(unit);
    std::call_once(once_, [this] { written.set_value(); });
    return outcome;
  }
  Result<void> run_read(const Unit& unit) override { return real_.read(unit); }

  storage::Store& real_;
  std::once_flag once_;
};

}  // namespace

TEST_SUITE("fleet.IngestEngine") {
  TEST_CASE("telemetry is acknowledged when stored, and a duplicate is acknowledged again") {
    Site site;
    site.agent.telemetry(site.service, 1, 5);
    site.agent.telemetry(site.service, 1, 5);
    REQUIRE(site.agent.acks.size() == 2);
    for (const auto& ack : site.agent.acks) {
      CHECK(ack.stream == site.service.to_string());
      CHECK(ack.buffer_id == "buffer-1");
      CHECK(ack.upto == 5);
    }
    CHECK(site.stored() == 5);
  }

  TEST_CASE("samples that come again from a buffer that was numbered anew are stored once") {
    Site site;
    site.agent.telemetry(site.service, 1, 5, "old");
    const auto last = site.world.now();
    site.world.pass(3 * second);
    const auto times_and_values = [&](std::int64_t first, std::int64_t count) {
      const auto old = telemetry_document(site.service, first, count, "new", last + 2 * second);
      auto parts = must(link::decode_telemetry(old));
      parts.first.first -= 2;
      parts.first.last -= 2;
      parts.first.renumbered = 3;
      return link::encode_telemetry(parts.first, parts.second);
    };

    // Numbers 3 to 7 as 1 to 5 of another buffer; only the first three had numbers before.
    for (int i = 0; i < 2; ++i) {
      site.agent.send(transport::ChannelKind::telemetry, times_and_values(3, 5),
                      site.service.to_string());
    }

    CHECK(site.agent.acks.back().buffer_id == "new");
    CHECK(site.agent.acks.back().upto == 5);
    CHECK(site.stored() == 7);
  }

  TEST_CASE("numbers that an agent gives twice cost it its buffer, and no sample is lost") {
    Site site;
    site.agent.telemetry(site.service, 1, 5);
    site.world.pass(60 * second);

    const auto again = telemetry_document(site.service, 3, 5, "buffer-1", site.world.now());
    const auto send = [&](const Bytes& document) {
      site.agent.send(transport::ChannelKind::telemetry, document, site.service.to_string());
    };
    send(again);  // Its disk was put back: 3 to 5 are new ones.

    CHECK(site.agent.acks.back().renew);
    CHECK(site.stored() == 7);
    CHECK(site.world.audited().back() == "edge_node.event");
    auto [head, body] = must(link::decode_telemetry(again));
    head.buffer_id = "buffer-2";
    head.first = 1;
    head.last = head.renumbered = 5;
    send(link::encode_telemetry(head, body));
    CHECK(site.agent.acks.back().upto == 5);
    CHECK(site.stored() == 10);
  }

  TEST_CASE("an answer says nothing of numbers that may wait before its batch") {
    Site site;
    site.agent.telemetry(site.service, 1, 8);
    const auto send = [&](std::int64_t first, std::int64_t floor, link::NumberRange dropped) {
      const auto made = telemetry_document(site.service, first, 5, "buffer-1", site.world.now());
      auto [head, body] = must(link::decode_telemetry(made));
      head.floor = floor;
      if (dropped.second > 0) head.dropped = {dropped};
      site.agent.send(transport::ChannelKind::telemetry, link::encode_telemetry(head, body),
                      site.service.to_string());
      return site.agent.acks.back();
    };
    // Put back, it gives 5 to 8 anew, and sends what it measures now before them.
    const auto live = send(20, 5, {});
    CHECK(live.upto == 4);
    CHECK(live.ranges == std::vector<link::NumberRange>{{20, 24}});
    const auto after_a_loss = send(25, 9, {9, 19});
    CHECK(after_a_loss.upto == 19);
    CHECK(after_a_loss.ranges == std::vector<link::NumberRange>{{25, 29}});
    CHECK(send(30, 20, {}).upto == 19);
    CHECK(send(35, 35, {}).upto == 39);
  }

  TEST_CASE("an answer names the run of the agent that sent the batch, and journals' do") {
    Site site;
    site.agent.telemetry(site.service, 1, 5, "buffer-1", "run-2");
    CHECK(site.agent.acks.back().life == "run-2");
    link::EventBatch batch;
    batch.buffer_id = "buffer-1";
    batch.first = 1;
    batch.life = "run-3";
    batch.items.push_back({"agent.started", "", site.world.now()});
    site.agent.send(transport::ChannelKind::event, link::to_json(batch));
    CHECK(site.agent.acks.back().upto == 1);
    CHECK(site.agent.acks.back().life == "run-3");
    batch.items.push_back(batch.items.front());
    site.agent.send(transport::ChannelKind::event, link::to_json(batch));
    batch.items.pop_back();  // An earlier one comes again.
    site.agent.send(transport::ChannelKind::event, link::to_json(batch));
    CHECK(site.agent.acks.back().upto == 1);
    CHECK(site.agent.acks.back().highest == 2);
  }

  TEST_CASE("a new buffer of an agent ends the one before, which only a copy can still send") {
    Site site;
    site.agent.telemetry(site.service, 1, 5);
    link::EventBatch batch;
    SUBCASE("by its samples") { site.agent.telemetry(site.service, 1, 2, "buffer-2"); }
    SUBCASE("by a journal") {
      batch.buffer_id = "buffer-2";
      batch.first = 1;
      batch.items.push_back({"agent.buffer_renewed", "", site.world.now()});
      site.agent.send(transport::ChannelKind::event, link::to_json(batch));
    }
    CHECK_FALSE(site.agent.acks.back().renew);
    const auto stored = site.stored();
    site.agent.telemetry(site.service, 6, 5);
    CHECK(site.agent.acks.back().renew);
    CHECK(site.stored() == stored);
    site.agent.telemetry(site.service, 3, 2, "buffer-2");
    CHECK_FALSE(site.agent.acks.back().renew);
  }

  TEST_CASE("of a buffer and its successor that come together only the successor is taken") {
    Site site;
    site.agent.telemetry(site.service, 1, 2);
    auto ingest = site.ingest(*site.world.series);
    const auto [from_a_copy, renumbered] = site.twice();

    ingest.take_telemetry({{from_a_copy, renumbered}});
    site.world.run();

    CHECK(site.stored() == 7);
    REQUIRE(site.agent.acks.size() == 3);
    const auto renewed = std::count_if(site.agent.acks.begin(), site.agent.acks.end(),
                                       [](const auto& ack) { return ack.renew; });
    CHECK(renewed == 1);
  }

  TEST_CASE("a buffer that ends while another replica stores from it gives no more samples") {
    Site site;
    Interrupted interrupted(*site.world.series);
    auto slow = site.ingest(interrupted);
    auto quick = site.ingest(*site.world.series);
    site.agent.telemetry(site.service, 1, 2);
    const auto [from_a_copy, renumbered] = site.twice();
    interrupted.before_append = [&, next = renumbered] { quick.take_telemetry({{next}}); };

    slow.take_telemetry({{from_a_copy}});
    site.world.run();

    CHECK(site.stored() == 7);
    CHECK(site.agent.acks.back().renew);
    CHECK(site.agent.acks.back().buffer_id == "buffer-1");
  }

  TEST_CASE("of two batches with the same numbers that come together none is acknowledged") {
    Site site;
    auto ingest = site.ingest(*site.world.series);
    std::vector<Heard> together;
    for (const auto ago : {Milliseconds(0), 60 * second}) {
      together.push_back(
          {site.agent.id(),
           {transport::ChannelKind::telemetry, site.service.to_string(), {}},
           telemetry_document(site.service, 1, 5, "buffer-1", site.world.now() - ago)});
    }

    ingest.take_telemetry(together);
    site.world.run();
    REQUIRE(site.agent.acks.size() == 2);
    CHECK(site.agent.acks[0].renew);
    CHECK(site.agent.acks[1].renew);
    CHECK(site.stored() == 5);
  }

  TEST_CASE("numbers beyond a hole that an agent gives twice cost it its buffer, too") {
    Site site;
    site.agent.telemetry(site.service, 1, 5);
    site.agent.telemetry(site.service, 8, 3);  // 6 and 7 are lost on the way.
    site.world.pass(60 * second);

    site.agent.telemetry(site.service, 6, 5);  // Its disk was put back: 8 to 10 are new ones.

    CHECK(site.agent.acks.back().renew);
    CHECK(site.stored() == 10);  // 6 and 7, which come again as renumbered ones, are there already.
  }

  TEST_CASE("a batch ahead of a lost one is acknowledged as a range") {
    Site site;
    site.agent.telemetry(site.service, 1, 5);
    site.agent.telemetry(site.service, 11, 5);
    CHECK(site.agent.acks.back().upto == 5);
    CHECK(site.agent.acks.back().ranges == std::vector<link::NumberRange>{{11, 15}});
    site.agent.telemetry(site.service, 6, 5);
    CHECK(site.agent.acks.back().upto ==
          10);  // An answer says nothing of what is behind its batch.
    CHECK(site.agent.acks.back().ranges.empty());
    CHECK(site.agent.acks.back().highest == 15);
  }

  TEST_CASE("what a removed service measured is settled, so that the agent forgets it") {
    Site site;
    const auto service = site.world.service(site.service);
    must(site.world.plane->services.remove(site.world.grant(), site.service, service.revision));
    site.agent.telemetry(site.service, 1, 5);
    REQUIRE(site.agent.acks.size() == 1);
    CHECK(site.agent.acks[0].upto == 5);
    CHECK(site.stored() == 0);
  }

  TEST_CASE("[R12] an agent cannot write values of a service on another node") {
    Site site;
    const auto other = site.world.add_node("other").id;
    Agent stranger(site.world, other);
    stranger.telemetry(site.service, 1, 5);
    CHECK(site.stored() == 0);
  }

  TEST_CASE("[R24] telemetry that makes no sense is dropped and the next is taken") {
    Site site;
    const auto stream = site.service.to_string();
    site.agent.send(transport::ChannelKind::telemetry, "", stream);
    site.agent.send(transport::ChannelKind::telemetry, std::string(300, '\xff'), stream);
    link::TelemetryHead head;
    head.buffer_id = "b";
    head.stream = stream;
    head.first = 1;
    head.last = 99;  // The body has none.
    site.agent.send(transport::ChannelKind::telemetry,
                    link::encode_telemetry(head, series::encode_samples({})), stream);
    CHECK(site.agent.acks.empty());
    site.agent.telemetry(site.service, 1, 5);
    CHECK(site.agent.acks.size() == 1);
  }

  TEST_CASE("values of batches are published to those who watch the project") {
    Site site;
    std::vector<std::string> heard;
    const auto watching =
        site.world.plane->live.subscribe(site.world.scope, [&](const platform::LiveEvent& event) {
          if (event.name == "value") heard.push_back(event.data_json);
        });
    site.agent.telemetry(site.service, 1, 5);
    REQUIRE(heard.size() == 1);
    CHECK(heard[0].find("\"value\":5,") != std::string::npos);
    CHECK(heard[0].find(site.service.to_string()) != std::string::npos);
  }

  TEST_CASE("each transition is applied exactly once, whatever is sent twice") {
    Site site;
    site.transitions(1, 2);
    site.transitions(1, 2);
    site.transitions(2, 3);
    CHECK(site.applied() == std::vector<std::int64_t>{1, 2, 3, 4});
    CHECK(site.agent.acks.back().stream == "alarm");
    CHECK(site.agent.acks.back().upto == 4);
  }

  TEST_CASE("a journal batch beyond the cursor is not applied; the agent is told to renew") {
    Site site;
    site.transitions(1, 2);
    site.transitions(7, 2);
    CHECK(site.applied().size() == 2);
    CHECK(site.agent.acks.back().renew);
    site.transitions(1, 2, "journal-2");
    CHECK(site.applied() == std::vector<std::int64_t>{1, 2, 1, 2});
  }

  TEST_CASE("after a hole in a journal nothing more is stored from that buffer") {
    Site site;
    site.transitions(7, 2, "buffer-1");
    site.agent.telemetry(site.service, 1, 5);
    CHECK(site.agent.acks.back().renew);
    CHECK(site.stored() == 0);
  }

  TEST_CASE("samples on their way are acknowledged before a hole in a journal costs the buffer") {
    Site site;
    Interrupted series(*site.world.series);
    Announcing store(*site.world.store);
    IngestEngine engine({store, series, *site.world.plane->gateway, site.world.plane->commands,
                         site.world.recorder, site.world.plane->live},
                        site.world.env());
    link::EventBatch hole;
    hole.buffer_id = "buffer-1";
    hole.first = 7;
    hole.items.push_back({"agent.started", "", site.world.now()});
    const Heard journal{site.id, {transport::ChannelKind::event, {}, {}}, link::to_json(hole)};
    const Heard telemetry{site.id,
                          {transport::ChannelKind::telemetry, site.service.to_string(), {}},
                          telemetry_document(site.service, 1, 5, "buffer-1", site.world.now())};
    std::thread other;
    series.before_append = [&] {
      other = std::thread([&] { engine.take_journals({&journal, 1}); });
      store.written.get_future().wait();
    };

    engine.take_telemetry({&telemetry, 1});
    other.join();
    site.world.run();

    REQUIRE(site.agent.acks.size() == 2);
    CHECK_FALSE(site.agent.acks[0].renew);
    CHECK(site.agent.acks[0].upto == 5);
    CHECK(site.agent.acks[1].renew);
  }

  TEST_CASE("samples that cannot be stored keep no other agent's from it") {
    Site site;
    const auto other = site.world.add_node("mill").id;
    Agent mill(site.world, other);
    const auto bad = site.world.add_service(other, "mill").id;
    Damaged damaged(*site.world.series, bad.bytes());
    auto ingest = site.ingest(damaged);
    const auto heard = [&](EdgeNodeId agent, EdgeServiceId service) {
      return Heard{agent,
                   {transport::ChannelKind::telemetry, service.to_string(), {}},
                   telemetry_document(service, 1, 5, "buffer-1", site.world.now())};
    };

    ingest.take_telemetry({{heard(other, bad), heard(site.id, site.service)}});
    site.world.run();

    REQUIRE(site.agent.acks.size() == 1);
    CHECK(site.agent.acks[0].upto == 5);
    CHECK(site.stored() == 5);
    CHECK(mill.acks.empty());
  }

  TEST_CASE("a batch that fails moves no cursor and gets no acknowledgement") {
    Site site;
    site.world.recorder.fails = true;
    site.transitions(1, 2);
    CHECK(site.agent.acks.empty());
    site.world.recorder.fails = false;
    site.transitions(1, 2);
    CHECK(site.agent.acks.size() == 1);
    CHECK(site.applied().size() == 2);
  }

  TEST_CASE("an agent's events are in the audit log") {
    Site site;
    link::EventBatch batch;
    batch.buffer_id = "journal-1";
    batch.first = 1;
    batch.items.push_back({"agent.buffer_renewed", "the disk was full", site.world.now()});
    site.agent.send(transport::ChannelKind::event, link::to_json(batch));
    CHECK(site.world.audited().back() == "edge_node.event");
  }

  TEST_CASE("an agent learns the server's time by asking") {
    Site site;
    site.agent.send(transport::ChannelKind::question,
                    link::to_json(link::Question{"server_time", "{}"}), "call-1");
    REQUIRE(site.agent.answers.size() == 1);
    CHECK(site.agent.answers[0].find(std::to_string(to_ms(site.world.now()))) != std::string::npos);
  }
}
