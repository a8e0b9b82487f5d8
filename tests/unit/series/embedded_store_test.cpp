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
using series::NumberedBatch;
using series::Quality;
using series::SeriesKey;

namespace {

/// A folder, a clock that stands still, and a store on both.
struct World {
  World() { reopen(); }
  void reopen() {
    store.reset();
    store = must(series::open_embedded_series(folder / "series", env.env()));
  }
  void append_one() {
    NumberedBatch batch;
    batch.agent = IdBytes{1};
    batch.buffer_id = "buffer-1";
    batch.first = 1;
    batch.samples.push_back(
        {"plc/fast/temperature", env.clock.now(), Quality::good, 1.0, "", false});
    must(store->append({{SeriesKey{IdBytes{2}, IdBytes{3}}, batch}}));
  }

  testing::TemporaryFolder folder;
  ManualEnv env;
  std::unique_ptr<series::SeriesStore> store;
};

}  // namespace

/// What the files are beside what every store does, which tests/conformance asks of this one, too.
TEST_SUITE("series.SeriesStore") {
  TEST_CASE("[R37] files are readable for their owner alone") {
    World world;
    world.append_one();
    const auto name = to_rfc3339(world.env.clock.now()).substr(0, 10) + ".db";
    struct stat facts {};
    REQUIRE(::stat((world.folder / ("series/" + name)).c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
  }

  TEST_CASE("a file of a newer program is refused by name and stays as it is") {
    World world;
    world.append_one();
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
}
