// SPDX-License-Identifier: Apache-2.0

/// @file
/// What every series store does. PostgreSQL takes part as with the other stores
/// (support/backends.hpp).

#include <atomic>
#include <limits>
#include <thread>

#include <ecp/core/env.hpp>
#include <ecp/series/reasons.hpp>
#include <ecp/series/series_store.hpp>
#ifdef ECP_TEST_WITH_POSTGRES
#include <ecp/series/postgres.hpp>
#endif

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using series::Applied;
using series::Gap;
using series::NumberedBatch;
using series::Quality;
using series::Sample;
using series::SeriesKey;
using series::SeriesStore;

using OpenedSeries = Result<std::unique_ptr<SeriesStore>>;

/// Files of one process.
struct EmbeddedSeries {
  static constexpr bool has_replicas = false;
  static bool is_available() { return true; }
  OpenedSeries open(const Env& env) const { return series::open_embedded_series(folder, env); }
  static std::string new_folder() {
    static const TemporaryFolder base;
    return base.file(next_number());
  }
  std::string folder = new_folder();
};

/// Tables that several processes use.
struct PostgresSeries {
  static constexpr bool has_replicas = true;
  static bool is_available() { return PostgresBackend::is_available(); }
#ifdef ECP_TEST_WITH_POSTGRES
  OpenedSeries open(const Env& env) const {
    series::PostgresSeriesOptions options;
    options.url = database.url;
    return series::open_postgres_series(options, env);
  }
  PostgresBackend database;
#else
  OpenedSeries open(const Env& env) const { return EmbeddedSeries().open(env); }
#endif
};

#define ECP_SERIES_BACKENDS EmbeddedSeries, PostgresSeries

constexpr Milliseconds second{1'000};
constexpr Milliseconds hour{3'600'000};
constexpr Milliseconds day{86'400'000};
constexpr std::string_view tag = "plc/fast/temperature";

/// `count` samples from number `first` on, one per second, the number being the value.
NumberedBatch batch_of(std::int64_t first, std::int64_t count, Time start) {
  NumberedBatch made;
  made.agent = IdBytes{1};
  made.buffer_id = "buffer-1";
  made.first = first;
  for (std::int64_t i = 0; i < count; ++i) {
    made.samples.push_back({std::string(tag), start + i * second, Quality::good,
                            static_cast<double>(first + i), "", false});
  }
  return made;
}

/// A clock that stands still, and a store.
template <class Backend>
struct World {
  World() { reopen(); }
  void reopen() {
    store.reset();
    store = must(backend.open(env.env()));
  }
  Applied append(const NumberedBatch& batch) { return must(store->append({{key, batch}})).front(); }
  std::vector<Sample> all() {
    return must(store->samples(key, tag, from_ms(0), now() + 10 * day, 100'000));
  }
  std::vector<Gap> gaps() { return must(store->gaps(key, from_ms(0), now() + 10 * day)); }
  std::int64_t count() { return must(store->count(key)); }
  [[nodiscard]] Time now() const { return env.clock.now(); }
  Backend backend;
  ManualEnv env;
  SeriesKey key{IdBytes{2}, IdBytes{3}};
  std::unique_ptr<SeriesStore> store;
};

TEST_SUITE("conformance.series") {
  TEST_CASE_TEMPLATE("A buffer that begins ends the others of its agent, and only these", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    auto old = batch_of(1, 5, world.now());
    auto of_other_agent = old;
    of_other_agent.agent = IdBytes{7};
    CHECK(world.append(old).upto == 5);
    CHECK(world.append(of_other_agent).upto == 5);

    must(world.store->begin(world.key, old.agent, "buffer-2"));
    must(world.store->begin(world.key, old.agent, "buffer-1"));  // Known: it ends nothing.

    const auto refused = world.append(batch_of(6, 5, world.now()));
    CHECK(refused.is_ended);
    CHECK(refused.upto == 5);
    CHECK(refused.repeated == 0);
    CHECK(world.count() == 10);
    of_other_agent.first = 6;
    CHECK_FALSE(world.append(of_other_agent).is_ended);
    old.buffer_id = "buffer-2";
    const auto taken = world.append(old);
    CHECK_FALSE(taken.is_ended);
    CHECK(taken.upto == 5);
    CHECK(world.count() == 20);

    must(world.store->remove(world.key));  // With it goes what was ended.
    CHECK_FALSE(world.append(batch_of(6, 5, world.now())).is_ended);
  }

  TEST_CASE_TEMPLATE("Samples are stored once however often their batch is sent", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto batch = batch_of(1, 10, world.now());
    CHECK(world.append(batch).upto == 10);
    CHECK(world.append(batch).upto == 10);
    world.reopen();
    CHECK(world.append(batch).upto == 10);
    CHECK(world.count() == 10);
    const auto twice = must(world.store->append({{world.key, batch}, {world.key, batch}}));
    REQUIRE(twice.size() == 2);
    CHECK(twice[0].upto == 10);
    CHECK(twice[1].upto == 10);
    CHECK(world.count() == 10);
  }

  TEST_CASE_TEMPLATE("A sample comes back as it went in", Backend, ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    auto batch = batch_of(1, 0, world.now());
    const std::vector<series::Value> values{true,
                                            false,
                                            std::int64_t{-5},
                                            std::numeric_limits<std::int64_t>::min(),
                                            0.1,
                                            -0.0,
                                            std::numeric_limits<double>::infinity(),
                                            std::string("a\0b", 3),
                                            std::string()};
    for (const auto& value : values) {
      const auto time = world.now() + static_cast<std::int64_t>(batch.samples.size()) * second;
      batch.samples.push_back({std::string(tag), time, Quality::good, value, "", false});
    }
    batch.samples[1].quality = Quality::uncertain_time;
    batch.samples[2].late = true;
    batch.samples.push_back({std::string(tag), world.now() + 60 * second, Quality::bad, 0.0,
                             "pipeline.device_timeout", true});
    world.append(batch);
    world.reopen();
    CHECK(world.all() == batch.samples);
  }

  TEST_CASE_TEMPLATE("Batches in any order are acknowledged as ranges until the hole is filled",
                     Backend, ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    CHECK(world.append(batch_of(1, 5, start)).upto == 5);
    const auto ahead = world.append(batch_of(11, 5, start + 10 * second));
    CHECK(ahead.upto == 5);
    CHECK(ahead.ranges == std::vector<std::pair<std::int64_t, std::int64_t>>{{11, 15}});
    world.reopen();
    const auto filled = world.append(batch_of(6, 5, start + 5 * second));
    CHECK(filled.upto == 15);
    CHECK(filled.ranges.empty());
    CHECK(world.all().size() == 15);
  }

  TEST_CASE_TEMPLATE("A batch that overlaps another adds only what is new", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    world.append(batch_of(1, 5, start));
    const auto overlapping = world.append(batch_of(3, 6, start + 2 * second));
    CHECK(overlapping.upto == 8);
    CHECK(overlapping.repeated == 3);
    CHECK(world.all().size() == 8);
  }

  TEST_CASE_TEMPLATE("A batch across midnight is one batch, also after a repeat", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto midnight = from_ms((to_ms(world.now()) / 86'400'000 + 1) * 86'400'000);
    const auto batch = batch_of(1, 10, midnight - 5 * second);
    CHECK(world.append(batch).upto == 10);
    world.reopen();
    CHECK(world.append(batch).upto == 10);
    CHECK(world.all() == batch.samples);
  }

  TEST_CASE_TEMPLATE("Dropped numbers are settled and seen as a gap with their count", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    world.append(batch_of(1, 5, start));
    auto batch = batch_of(26, 5, start + 25 * second);
    batch.dropped = {{6, 25}};
    batch.floor = 26;
    CHECK(world.append(batch).upto == 30);
    CHECK(world.append(batch).upto == 30);
    const auto gaps = world.gaps();
    REQUIRE(gaps.size() == 1);
    CHECK(gaps[0].samples == 20);
    CHECK(gaps[0].why == "buffer_full");
    CHECK(gaps[0].from == start + 4 * second);
    CHECK(gaps[0].to == start + 25 * second);
  }

  TEST_CASE_TEMPLATE("Samples that are stored under other numbers are settled without a trace",
                     Backend, ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    auto batch = batch_of(1, 10, world.now());
    batch.known = {{2, 4}, {9, 10}};
    CHECK(world.append(batch).upto == 10);
    CHECK(must(world.store->count(world.key)) == 5);
    CHECK(world.append(batch).upto == 10);
    CHECK(must(world.store->count(world.key)) == 5);
    CHECK(world.gaps().empty());
  }

  TEST_CASE_TEMPLATE("Numbers below the floor are settled, and an empty batch may carry the floor",
                     Backend, ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    auto batch = batch_of(1, 0, world.now());
    batch.floor = 101;
    CHECK(world.append(batch).upto == 100);
    CHECK(world.append(batch_of(101, 3, world.now())).upto == 103);
    CHECK(must(world.store->append({})).empty());
  }

  TEST_CASE_TEMPLATE("Two buffers, or agents, with the same numbers do not hide each other",
                     Backend, ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    auto other_buffer = batch_of(1, 3, world.now() + 60 * second);
    other_buffer.buffer_id = "buffer-2";
    auto other_agent = batch_of(1, 3, world.now() + 90 * second);
    other_agent.agent = IdBytes{7};
    world.append(batch_of(1, 3, world.now()));
    CHECK(world.append(other_buffer).upto == 3);
    CHECK(world.append(other_agent).upto == 3);
    CHECK(world.all().size() == 9);
  }

  TEST_CASE_TEMPLATE("[R12] A series of another project or service is another series", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    world.append(batch_of(1, 3, world.now()));
    REQUIRE(world.store->record_gap(
        world.key, {world.now() - 60 * second, world.now() - 30 * second, 4, "buffer_full"}));
    const SeriesKey foreign[] = {{IdBytes{9}, world.key.service}, {world.key.project, IdBytes{9}}};
    for (const auto& key : foreign) {
      CHECK(must(world.store->latest(key)).empty());
      CHECK(must(world.store->count(key)) == 0);
      CHECK(must(world.store->samples(key, tag, from_ms(0), world.now() + day, 10)).empty());
      CHECK(must(world.store->gaps(key, from_ms(0), world.now() + day)).empty());
      REQUIRE(world.store->remove(key));
      CHECK(must(world.store->append({{key, batch_of(1, 3, world.now())}})).front().upto == 3);
    }
    CHECK(world.count() == 3);
    CHECK(world.gaps().size() == 1);
  }

  TEST_CASE_TEMPLATE("The latest value is the newest by time, before and after a restart", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    auto batch = batch_of(1, 3, start);
    batch.samples.push_back(
        {"plc/slow/name", start, Quality::good, std::string("a\0b", 3), "", false});
    batch.samples.push_back({"plc/slow/dead", start, Quality::bad, 0.0, "pipeline.timeout", false});
    world.append(batch);
    for (int round = 0; round < 2; ++round) {
      const auto latest = must(world.store->latest(world.key));
      REQUIRE(latest.size() == 3);
      CHECK(latest[0].sample == batch.samples[2]);
      CHECK(latest[1].sample == batch.samples[4]);
      CHECK(latest[2].sample == batch.samples[3]);
      world.reopen();
    }
    REQUIRE(must(world.store->latest(world.key)).size() == 3);
    world.append(batch_of(6, 1, start - 60 * second));  // From the backlog: older.
    CHECK(must(world.store->latest(world.key))[0].sample.value == series::Value(3.0));
    world.append(batch_of(7, 1, start + 60 * second));
    CHECK(must(world.store->latest(world.key))[0].sample.value == series::Value(7.0));
  }

  TEST_CASE_TEMPLATE("The oldest samples of a range come first, and no more than asked for",
                     Backend, ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    world.append(batch_of(101, 100, start + 100 * second));
    world.append(batch_of(1, 100, start));  // Late.
    auto found =
        must(world.store->samples(world.key, tag, start + 10 * second, start + 150 * second, 120));
    REQUIRE(found.size() == 120);
    CHECK(found.front().time == start + 10 * second);
    for (std::size_t i = 0; i < found.size(); ++i) {
      CHECK(found[i].value == series::Value(static_cast<double>(11 + i)));
    }
    found = must(world.store->samples(world.key, tag, start, start + 150 * second, 1'000));
    CHECK(found.size() == 150);
    CHECK(must(world.store->samples(world.key, "none/such/tag", start, start + day, 9)).empty());
    CHECK(must(world.store->samples(world.key, tag, start, start, 9)).empty());
  }

  TEST_CASE_TEMPLATE(
      "A chart has equal intervals with least, greatest, mean, first, last and count", Backend,
      ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    auto batch = batch_of(1, 10, start);
    batch.samples[3].quality = Quality::bad;
    batch.samples[3].error = "pipeline.timeout";
    batch.samples[3].late = true;  // No number of the chart.
    batch.samples[1].late = true;
    world.append(batch);
    const auto points = must(world.store->aggregate(world.key, tag, start, start + 20 * second, 4));
    REQUIRE(points.size() == 4);
    CHECK(points[0].from == start);
    CHECK(points[0].count == 4);
    CHECK(points[0].late == 1);
    CHECK(points[1].late == 0);
    CHECK(points[0].min == 1.0);
    CHECK(points[0].max == 5.0);
    CHECK(points[0].first == 1.0);
    CHECK(points[0].last == 5.0);
    CHECK(points[0].mean == doctest::Approx(2.75));
    CHECK(points[1].count == 5);
    CHECK(points[2].count == 0);
    CHECK(points[3].count == 0);
    const auto whole = must(world.store->aggregate(world.key, tag, start, start + day, 1));
    REQUIRE(whole.size() == 1);
    CHECK(whole[0].count == 9);
    CHECK(whole[0].last == 10.0);
    CHECK(whole[0].late == 1);
    CHECK(must(world.store->aggregate(world.key, "none/such/tag", start, start + day, 7)).size() ==
          7);
    CHECK_FALSE(world.store->aggregate(world.key, "x", start, start, 4));
    CHECK_FALSE(world.store->aggregate(world.key, "x", start, start + day, 0));
    CHECK_FALSE(world.store->aggregate(world.key, "x", start, start + day, 100'000));
  }

  TEST_CASE_TEMPLATE("A chart over several days, late samples among them, is one chart", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    for (int i = 0; i < 4; ++i) world.append(batch_of(1 + 10 * i, 10, start - i * day));
    const auto points =
        must(world.store->aggregate(world.key, tag, start - 4 * day, start + day, 5));
    std::int64_t count = 0;
    for (const auto& point : points) count += point.count;
    CHECK(count == 40);
    const auto all = must(world.store->aggregate(world.key, tag, start - 4 * day, start + day, 1));
    CHECK(all[0].first == 31.0);
    CHECK(all[0].last == 10.0);
    CHECK(all[0].min == 1.0);
    CHECK(all[0].max == 40.0);
  }

  TEST_CASE_TEMPLATE("A silence shows as a gap unless what was buffered fills it", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    world.append(batch_of(1, 10, start));
    world.append(batch_of(11, 10, start + 60 * second));
    REQUIRE(world.store->record_gap(world.key,
                                    {start + 9 * second, start + 60 * second, 0, "no_data"}));
    REQUIRE(world.gaps().size() == 1);
    CHECK(world.gaps()[0].from == start + 9 * second);
    CHECK(world.gaps()[0].to == start + 60 * second);
    CHECK(must(world.store->gaps(world.key, start + hour, start + day)).empty());
    world.append(batch_of(21, 50, start + 10 * second));
    CHECK(world.gaps().empty());
  }

  TEST_CASE_TEMPLATE("Old days go as a whole, and what is applied stays known", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    world.append(batch_of(1, 10, start - 3 * day));
    CHECK(must(world.store->latest(world.key)).size() == 1);
    CHECK(must(world.store->expire(start - day)) == 1);
    CHECK(must(world.store->latest(world.key)).empty());
    world.append(batch_of(11, 10, start));
    CHECK(must(world.store->expire(start - day)) == 0);
    CHECK(world.all().size() == 10);
    world.reopen();
    const auto again = world.append(batch_of(1, 10, start - 3 * day));
    CHECK(again.upto == 20);
    CHECK(world.all().size() == 10);
    world.append(batch_of(21, 10, start - 3 * day));
    CHECK(must(world.store->expire(start - day)) == 1);
    CHECK(world.all().size() == 10);
  }

  TEST_CASE_TEMPLATE("Upkeep of hours that are over changes nothing that is read", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const auto start = world.now();
    for (std::int64_t i = 0; i < 40; ++i) {
      world.append(batch_of(1 + i * 10, 10, start + i * 10 * second));
    }
    const auto before = world.all();
    const auto chart = must(world.store->aggregate(world.key, tag, start, start + hour, 7));
    for (int round = 0; round < 2; ++round) {
      world.env.clock.advance(2 * hour);
      CHECK(must(world.store->expire(start - day)) == 0);
      CHECK(world.all() == before);
      CHECK(world.count() == 400);
      const auto after = must(world.store->aggregate(world.key, tag, start, start + hour, 7));
      for (std::size_t i = 0; i < chart.size(); ++i) {
        CHECK(after[i].count == chart[i].count);
        CHECK(after[i].first == chart[i].first);
        CHECK(after[i].last == chart[i].last);
      }
      world.append(batch_of(1, 400, start));  // Known.
    }
  }

  TEST_CASE_TEMPLATE("A sample whose clock cannot be right is kept under our time", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    world.append(batch_of(1, 1, from_ms(5'000)));
    world.append(batch_of(2, 1, world.now() + 30 * day));
    const auto samples = world.all();
    REQUIRE(samples.size() == 2);
    CHECK(samples[0].time == world.now());
    CHECK(samples[1].time == world.now());
  }

  TEST_CASE_TEMPLATE("Removing a service removes its values and nobody else's", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    const SeriesKey other{world.key.project, IdBytes{4}};
    world.append(batch_of(1, 5, world.now()));
    must(world.store->append({{other, batch_of(1, 5, world.now())}}));
    REQUIRE(world.store->remove(world.key));
    CHECK(world.count() == 0);
    CHECK(must(world.store->count(other)) == 5);
    CHECK(must(world.store->latest(world.key)).empty());
    CHECK(world.append(batch_of(1, 5, world.now())).upto == 5);
    CHECK(world.count() == 5);
  }

  TEST_CASE_TEMPLATE("Threads that store the same batches at once store each sample once", Backend,
                     ECP_SERIES_BACKENDS) {
    if (!Backend::is_available()) return;
    World<Backend> world;
    // Replicas have a store each; the files of one process have one.
    auto replica = Backend::has_replicas ? must(world.backend.open(world.env.env())) : nullptr;
    SeriesStore* const stores[] = {world.store.get(), replica ? replica.get() : world.store.get()};
    const SeriesKey other{world.key.project, IdBytes{4}};
    constexpr std::int64_t rounds = 40;
    std::atomic<std::int64_t> failures = 0;
    const auto work = [&](std::size_t place) {
      for (std::int64_t i = 0; i < rounds; ++i) {
        const auto number = 1 + 5 * (place == 0 ? i : rounds - 1 - i);  // Opposite orders.
        const auto batch = batch_of(number, 7, world.now() + number * second);
        const auto first = place == 0 ? world.key : other;
        const auto second_key = place == 0 ? other : world.key;
        if (!stores[place]->append({{first, batch}, {second_key, batch}})) ++failures;
      }
    };
    std::thread one(work, 0);
    std::thread two(work, 1);
    one.join();
    two.join();
    CHECK(failures == 0);
    for (auto* store : stores) {
      for (const auto& key : {world.key, other}) {
        CHECK(must(store->count(key)) == 5 * rounds + 2);
        const auto found = must(store->samples(key, tag, from_ms(0), world.now() + day, 10'000));
        REQUIRE(found.size() == 5 * rounds + 2);
        for (std::size_t i = 0; i < found.size(); ++i) {
          CHECK(found[i].value == series::Value(static_cast<double>(i + 1)));
        }
        CHECK(must(store->latest(key)).front().sample == found.back());
      }
    }
    const auto repeated = must(stores[1]->append({{world.key, batch_of(1, 3, world.now())}}));
    CHECK(repeated.front().upto == 5 * rounds + 2);
  }

  TEST_CASE_TEMPLATE("What one replica stores, removes or lets expire the other knows at once",
                     Backend, ECP_SERIES_BACKENDS) {
    if (!Backend::is_available() || !Backend::has_replicas) return;
    World<Backend> world;
    const auto other = must(world.backend.open(world.env.env()));
    world.append(batch_of(1, 5, world.now()));
    CHECK(must(other->latest(world.key)).front().sample.value == series::Value(5.0));
    CHECK(must(other->append({{world.key, batch_of(1, 6, world.now())}})).front().upto == 6);
    CHECK(must(world.store->latest(world.key)).front().sample.value == series::Value(6.0));
    CHECK(world.append(batch_of(7, 1, world.now() + 6 * second)).upto == 7);
    REQUIRE(other->remove(world.key));
    CHECK(must(world.store->latest(world.key)).empty());
    CHECK(world.append(batch_of(1, 2, world.now() - 3 * day)).upto == 2);
    CHECK(must(other->expire(world.now() - day)) == 1);
    CHECK(world.all().empty());
  }
}

}  // namespace
}  // namespace ecp_test
