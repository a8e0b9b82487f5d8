// SPDX-License-Identifier: Apache-2.0
#include <sys/stat.h>
#include <atomic>
#include <filesystem>
#include <fstream>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/storage/reasons.hpp>
#include <ecp/storage/sqlite.hpp>

#include "support/backends.hpp"
#include "support/probe.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using storage::SqliteOptions;
using storage::Store;

SqliteOptions at(std::string path) {
  SqliteOptions options;
  options.path = std::move(path);
  options.patience = Milliseconds(50);
  return options;
}

OpenedStore open(const SqliteOptions& options, ManualEnv& world) {
  return storage::open_sqlite(options, probe_modules, world.env());
}

unsigned mode_of(const std::string& path) {
  struct stat facts {};
  REQUIRE(::stat(path.c_str(), &facts) == 0);
  return facts.st_mode & 0777U;
}

TEST_SUITE("storage.sqlite") {
  TEST_CASE("The database's files are for their owner alone") {
    ManualEnv world;
    const SqliteBackend place;
    auto store = must(open(at(place.path), world));
    must(store->write([](Transaction& t) { return put(t, "x", 1); }));
    for (const char* part : {"", "-wal", "-shm"}) CHECK(mode_of(place.path + part) == 0600);
  }

  TEST_CASE("Every connection is durable, checks references and keeps a small cache") {
    const SqliteBackend place;
    auto driver = must(storage::sqlite_driver(at(place.path)));
    auto connection = must(driver->connect());
    const auto setting = [&](const char* text) {
      auto* row = must(connection->bound(text));
      REQUIRE(must(row->step()));
      return std::string(row->text(0));
    };
    CHECK(setting("PRAGMA journal_mode") == "wal");
    CHECK(setting("PRAGMA synchronous") == "2");
    CHECK(setting("PRAGMA foreign_keys") == "1");
    CHECK(setting("PRAGMA cache_size") == "-512");
  }

  TEST_CASE("A file that is no database is data loss, and stays as it is") {
    ManualEnv world;
    const SqliteBackend place;
    const std::string content(4096, 'x');
    std::ofstream(place.path) << content;
    const auto refused = open(at(place.path), world);
    REQUIRE(failure(refused) == "storage.damaged");
    CHECK(refused.error().code() == ErrorCode::data_loss);
    CHECK(refused.error().describe().find(place.path) != std::string::npos);
    CHECK(std::filesystem::file_size(place.path) == content.size());
  }

  TEST_CASE("A folder that is not there or not ours is named") {
    ManualEnv world;
    const auto refused = open(at("/nowhere/at/all.db"), world);
    REQUIRE(failure(refused) == "core.io");
    CHECK(refused.error().message() ==
          "/nowhere/at/all.db cannot be created: No such file or directory");
    const TemporaryFolder folder;
    CHECK(failure(open(at(folder.file("")), world)) == "core.io");
  }

  TEST_CASE("A database that another program holds is busy, and works again after it") {
    ManualEnv world;
    const SqliteBackend place;
    auto store = must(open(at(place.path), world));
    auto driver = must(storage::sqlite_driver(at(place.path)));
    auto other = must(driver->connect());
    must(other->begin(true));
    const auto write = [&] { return store->write([](Transaction& t) { return put(t, "x", 1); }); };
    const auto refused = write();
    REQUIRE(failure(refused) == "storage.busy");
    CHECK(is_retryable(refused.error().code()));
    CHECK(count(*store) == 0);
    other->rollback();
    must(write());
    CHECK(count(*store) == 1);
  }

  TEST_CASE("Databases in memory are separate, and shared by their readers") {
    ManualEnv world;
    SqliteOptions options = at(":memory:");
    for (const bool threaded : {true, false}) {
      options.writer_thread = threaded;
      auto first = must(open(options, world));
      auto second = must(open(options, world));
      must(first->write([](Transaction& t) { return put(t, "x", 1); }));
      CHECK(count(*first) == 1);
      CHECK(count(*second) == 0);
    }
  }

  TEST_CASE("When the disk is full, what was acknowledged is stored and nothing else") {
    ManualEnv world;
    MemoryLog log;
    RealEnv threads(log, 1);
    const SqliteBackend place;
    auto store = must(storage::open_sqlite(at(place.path), probe_modules, threads.env()));
    must(store->write([](Transaction& t) -> Result<void> {
      return t.connection().execute("PRAGMA max_page_count = 30");
    }));
    const std::string big(2000, 'x');
    std::atomic<int> kept = 0;
    std::atomic<int> full = 0;
    constexpr int units = 120;
    for (int number = 0; number < units; ++number) {
      store->async_write(
          [number, &big](Transaction& t) { return put(t, std::to_string(number) + big, number); },
          [&](const Result<void>& outcome) {
            if (outcome) ++kept;
            if (failure(outcome) == "storage.disk_full") ++full;
          });
    }
    store->close();
    store.reset();
    threads.stop();
    CHECK(full > 0);
    CHECK(kept > 0);
    CHECK(full + kept == units);
    CHECK(count(*must(open(at(place.path), world))) == kept);
  }
}

}  // namespace
}  // namespace ecp_test
