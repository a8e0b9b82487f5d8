// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <filesystem>

#include <ecp/core/env.hpp>
#include <ecp/series/reasons.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/sql/driver.hpp>
#include <ecp/storage/sqlite.hpp>

#include <doctest/doctest.h>

#include "support/results.hpp"
#include "support/temporary_folder.hpp"

using namespace ecp;
using ecp_test::must;
using series::Applied;
using series::Gap;
using series::NumberedBatch;
using series::Quality;
using series::Sample;
using series::SeriesKey;

namespace {

constexpr Milliseconds second{1'000};
constexpr Milliseconds day{86'400'000};

/// A folder, a clock that stands still, and a store on both.
struct World {
  World() { reopen(); }
  void reopen() {
    store.reset();
    store = must(series::open_embedded_series(folder / "series", env.env()));
  }
  Applied append(const NumberedBatch& batch) { return must(store->append({{key, batch}})).front(); }
  /// `count` samples from number `first` on, one per second, the number being the value.
  NumberedBatch batch(std::int64_t first, std::int64_t count, Time start) const {
    NumberedBatch made;
    made.agent = agent;
    made.buffer_id = "buffer-1";
    made.first = first;
    for (std::int64_t i = 0; i < count; ++i) {
      made.samples.push_back({"plc/fast/temperature", start + i * second, Quality::good,
                              static_cast<double>(first + i), "", false});
    }
    return made;
  }
  std::vector<Sample> all() {
    return must(store->samples(key, "plc/fast/temperature", from_ms(0), now() + 10 * day, 100'000));
  }
  std::vector<Gap> gaps() { return must(store->gaps(key, from_ms(0), now() + 10 * day)); }
  [[nodiscard]] Time now() { return env.clock.now(); }

  testing::TemporaryFolder folder;
  ManualEnv env;
  IdBytes agent{1};
  SeriesKey key{IdBytes{2}, IdBytes{3}};
  std::unique_ptr<series::SeriesStore> store;
};

}  // namespace

TEST_SUITE("series.SeriesStore") {
  TEST_CASE("samples are stored once however often their batch is sent") {
    World world;
    const auto batch = world.batch(1, 10, world.now());
    CHECK(world.append(batch).upto == 10);
    CHECK(world.append(batch).upto == 10);
    world.reopen();
    CHECK(world.append(batch).upto == 10);
    CHECK(must(world.store->count(world.key)) == 10);
  }

  TEST_CASE("batches in any order are acknowledged as ranges until the hole is filled") {
    World world;
    const auto start = world.now();
    CHECK(world.append(world.batch(1, 5, start)).upto == 5);
    const auto ahead = world.append(world.batch(11, 5, start + 10 * second));
    CHECK(ahead.upto == 5);
    CHECK(ahead.ranges == std::vector<std::pair<std::int64_t, std::int64_t>>{{11, 15}});
    world.reopen();
    const auto filled = world.append(world.batch(6, 5, start + 5 * second));
    CHECK(filled.upto == 15);
    CHECK(filled.ranges.empty());
    CHECK(world.all().size() == 15);
  }

  TEST_CASE("a batch that overlaps another adds only what is new") {
    World world;
    const auto start = world.now();
    world.append(world.batch(1, 5, start));
    CHECK(world.append(world.batch(3, 6, start + 2 * second)).upto == 8);
    CHECK(world.all().size() == 8);
  }

  TEST_CASE("a batch across midnight is one batch in two files, also after a repeat") {
    World world;
    const auto midnight = from_ms((to_ms(world.now()) / 86'400'000 + 1) * 86'400'000);
    const auto batch = world.batch(1, 10, midnight - 5 * second);
    CHECK(world.append(batch).upto == 10);
    world.reopen();
    CHECK(world.append(batch).upto == 10);
    const auto samples = world.all();
    REQUIRE(samples.size() == 10);
    CHECK(samples.front().time == midnight - 5 * second);
    CHECK(samples.back().time == midnight + 4 * second);
  }

  TEST_CASE("[R37] files are readable for their owner alone") {
    World world;
    world.append(world.batch(1, 1, world.now()));
    const auto name = to_rfc3339(world.now()).substr(0, 10) + ".db";
    struct stat facts {};
    REQUIRE(::stat((world.folder / ("series/" + name)).c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
  }

  TEST_CASE("dropped numbers are settled and seen as a gap with their count") {
    World world;
    const auto start = world.now();
    world.append(world.batch(1, 5, start));
    auto batch = world.batch(26, 5, start + 25 * second);
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

  TEST_CASE("numbers below the floor are settled, and an empty batch may carry the floor") {
    World world;
    auto batch = world.batch(1, 0, world.now());
    batch.floor = 101;
    CHECK(world.append(batch).upto == 100);
    CHECK(world.append(world.batch(101, 3, world.now())).upto == 103);
  }

  TEST_CASE("two buffers with the same numbers do not hide each other") {
    World world;
    const auto first = world.batch(1, 3, world.now());
    auto second_buffer = world.batch(1, 3, world.now() + 60 * second);
    second_buffer.buffer_id = "buffer-2";
    world.append(first);
    CHECK(world.append(second_buffer).upto == 3);
    CHECK(world.all().size() == 6);
  }

  TEST_CASE("[R12] a series of another project or service is another series") {
    World world;
    world.append(world.batch(1, 3, world.now()));
    const SeriesKey foreign{IdBytes{9}, world.key.service};
    CHECK(must(world.store->latest(foreign)).empty());
    CHECK(must(world.store->count(foreign)) == 0);
    CHECK(must(world.store->samples(foreign, "plc/fast/temperature", from_ms(0), world.now() + day,
                                    10))
              .empty());
  }

  TEST_CASE("the latest value is the newest by time, before and after a restart") {
    World world;
    const auto start = world.now();
    auto batch = world.batch(1, 3, start);
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
    world.append(world.batch(6, 1, start - 60 * second));  // From the backlog: older.
    CHECK(must(world.store->latest(world.key))[0].sample.value == series::Value(3.0));
    world.append(world.batch(7, 1, start + 60 * second));
    CHECK(must(world.store->latest(world.key))[0].sample.value == series::Value(7.0));
  }

  TEST_CASE("a chart's equal intervals have least, greatest, mean, first, last, and counts") {
    World world;
    const auto start = world.now();
    auto batch = world.batch(1, 10, start);
    batch.samples[3].quality = Quality::bad;
    batch.samples[3].error = "pipeline.timeout";
    batch.samples[3].late = batch.samples[4].late = true;
    world.append(batch);
    const auto points = must(
        world.store->aggregate(world.key, "plc/fast/temperature", start, start + 20 * second, 4));
    REQUIRE(points.size() == 4);
    CHECK(points[0].from == start);
    CHECK(points[0].count == 4);
    CHECK(points[0].late == 1);
    CHECK(points[0].min == 1.0);
    CHECK(points[0].max == 5.0);
    CHECK(points[0].first == 1.0);
    CHECK(points[0].last == 5.0);
    CHECK(points[0].mean == doctest::Approx(2.75));
    CHECK(points[1].count == 5);
    CHECK(points[1].late == 0);
    CHECK(points[2].count == 0);
    CHECK(points[3].count == 0);
    CHECK_FALSE(world.store->aggregate(world.key, "x", start, start, 4));
    CHECK_FALSE(world.store->aggregate(world.key, "x", start, start + day, 100'000));
  }

  TEST_CASE("a chart over several days puts their files together") {
    World world;
    const auto start = world.now();
    for (int i = 0; i < 4; ++i) world.append(world.batch(1 + 10 * i, 10, start - i * day));
    const auto points = must(
        world.store->aggregate(world.key, "plc/fast/temperature", start - 4 * day, start + day, 5));
    std::int64_t count = 0;
    for (const auto& point : points) count += point.count;
    CHECK(count == 40);
  }

  TEST_CASE("a silence shows as a gap unless what was buffered fills it") {
    World world;
    const auto start = world.now();
    world.append(world.batch(1, 10, start));
    world.append(world.batch(11, 10, start + 60 * second));
    must(world.store->gaps(world.key, start, start + day));
    REQUIRE(world.store->record_gap(world.key,
                                    {start + 9 * second, start + 60 * second, 0, "no_data"}));
    REQUIRE(world.gaps().size() == 1);
    CHECK(world.gaps()[0].from == start + 9 * second);
    CHECK(world.gaps()[0].to == start + 60 * second);
    world.append(world.batch(21, 50, start + 10 * second));
    CHECK(world.gaps().empty());
  }

  TEST_CASE("old days go as whole files, and what is applied stays known") {
    World world;
    const auto start = world.now();
    world.append(world.batch(1, 10, start - 3 * day));
    world.append(world.batch(11, 10, start));
    CHECK(must(world.store->expire(start - day)) == 1);
    CHECK(world.all().size() == 10);
    world.reopen();
    const auto again = world.append(world.batch(1, 10, start - 3 * day));
    CHECK(again.upto == 20);
    CHECK(world.all().size() == 10);
  }

  TEST_CASE("a file of a newer program is refused by name and stays as it is") {
    World world;
    world.append(world.batch(1, 5, world.now()));
    world.store.reset();
    for (const auto& entry : std::filesystem::directory_iterator(world.folder / "series")) {
      if (entry.path().extension() != ".db") continue;
      storage::SqliteOptions options;
      options.path = entry.path();
      const auto driver = must(storage::sqlite_driver(options));
      must(must(driver->connect())->execute("PRAGMA user_version = 3"));
    }
    const auto opened = series::open_embedded_series(world.folder / "series", world.env.env());
    REQUIRE_FALSE(opened);
    CHECK(opened.error().is(series::reasons::newer_file));
  }

  TEST_CASE("a sample whose clock cannot be right is kept under our time") {
    World world;
    world.append(world.batch(1, 1, from_ms(5'000)));
    const auto samples = world.all();
    REQUIRE(samples.size() == 1);
    CHECK(samples[0].time == world.now());
  }

  TEST_CASE("removing a service removes its values and nobody else's") {
    World world;
    const SeriesKey other{world.key.project, IdBytes{4}};
    world.append(world.batch(1, 5, world.now()));
    must(world.store->append({{other, world.batch(1, 5, world.now())}}));
    REQUIRE(world.store->remove(world.key));
    CHECK(must(world.store->count(world.key)) == 0);
    CHECK(must(world.store->count(other)) == 5);
    CHECK(must(world.store->latest(world.key)).empty());
  }
}
