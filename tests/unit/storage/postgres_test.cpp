// SPDX-License-Identifier: Apache-2.0
#ifdef ECP_TEST_WITH_POSTGRES
#include <atomic>
#include <future>
#include <string>
#include <thread>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/log.hpp>
#include <ecp/storage/postgres.hpp>
#include <ecp/storage/reasons.hpp>

#include "support/backends.hpp"
#include "support/probe.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using storage::PostgresOptions;
using storage::Store;

std::unique_ptr<storage::sql::Connection> administrator() {
  PostgresOptions options;
  options.url = PostgresBackend::server();
  return must(must(storage::postgres_driver(options))->connect());
}

std::int64_t backend_pid(Transaction& transaction) {
  return must(ask(transaction, "SELECT pg_backend_pid()"));
}

/// What an operator, a restart or a failover does to a session; returns when it is gone.
void terminate(std::int64_t pid) {
  auto connection = administrator();
  must(connection->execute("SELECT pg_terminate_backend(" + std::to_string(pid) + ", 5000)"));
}

struct Fixture {
  MemoryLog log;
  RealEnv world{log, 2};
  std::unique_ptr<Store> store = must(PostgresBackend::open(probe_modules, world.env()));
};

TEST_SUITE("storage.postgres") {
  TEST_CASE("A session that ended between units is replaced without an error") {
    if (!PostgresBackend::is_available()) return;
    Fixture fixture;
    const auto pid = must(
        fixture.store->read([](Transaction& t) -> Result<std::int64_t> { return backend_pid(t); }));
    terminate(pid);
    must(fixture.store->write([](Transaction& t) { return put(t, "x", 1); }));
    CHECK(count(*fixture.store) == 1);
  }

  TEST_CASE("A unit whose session ends in its middle runs again on a new one") {
    if (!PostgresBackend::is_available()) return;
    Fixture fixture;
    int runs = 0;
    must(fixture.store->write([&](Transaction& t) -> Result<void> {
      if (++runs == 1) terminate(backend_pid(t));
      return put(t, "x", 1);
    }));
    CHECK(runs == 2);
    CHECK(count(*fixture.store) == 1);
  }

  TEST_CASE("A unit whose session ends at its commit is not run again, but told as unknown") {
    if (!PostgresBackend::is_available()) return;
    Fixture fixture;
    int runs = 0;
    const auto outcome = fixture.store->write([&](Transaction& t) -> Result<void> {
      ++runs;
      auto done = put(t, "x", 1);
      terminate(backend_pid(t));
      return done;
    });
    CHECK(failure(outcome) == "storage.commit_unknown");
    CHECK(runs == 1);
    CHECK(count(*fixture.store) == 0);
  }

  TEST_CASE("Two units that read the same and write it both count, one by running again") {
    if (!PostgresBackend::is_available()) return;
    Fixture fixture;
    must(fixture.store->write([](Transaction& t) { return put(t, "counter", 0); }));
    std::atomic<int> runs = 0;
    std::promise<void> both_read;
    auto gate = both_read.get_future().share();
    const auto increment = [&](Transaction& t) -> Result<void> {
      auto number = ask(t, "SELECT number FROM probe");
      if (!number) return std::move(number).error();
      if (++runs == 2) both_read.set_value();
      gate.wait();
      auto done = t.connection().run("UPDATE probe SET number = $1", *number + 1);
      if (!done) return std::move(done).error();
      return {};
    };
    std::thread other([&] { must(fixture.store->write(increment)); });
    must(fixture.store->write(increment));
    other.join();
    CHECK(runs == 3);
    CHECK(must(fixture.store->read(
              [](Transaction& t) { return ask(t, "SELECT number FROM probe"); })) == 2);
  }

  TEST_CASE("A unit that hides its conflict runs again all the same") {
    if (!PostgresBackend::is_available()) return;
    Fixture fixture;
    must(fixture.store->write([](Transaction& t) { return put(t, "counter", 0); }));
    int runs = 0;
    must(fixture.store->write([&](Transaction& t) -> Result<void> {
      const auto number = must(ask(t, "SELECT number FROM probe"));
      if (++runs == 1) {
        std::thread([&] {
          must(fixture.store->write([](Transaction& o) -> Result<void> {
            auto done = o.connection().run("UPDATE probe SET number = number + 1");
            if (!done) return std::move(done).error();
            return {};
          }));
        }).join();
      }
      (void)t.connection().run("UPDATE probe SET number = $1", number + 1);
      return {};
    }));
    CHECK(runs == 2);
  }

  TEST_CASE("A database with another collation or encoding is refused, saying how to make one") {
    if (!PostgresBackend::is_available()) return;
    for (const char* traits : {"ENCODING 'UTF8' LOCALE 'C.UTF-8'", "ENCODING 'SQL_ASCII'"}) {
      const auto name = "ecp_test_unsuitable_" + std::to_string(::getpid());
      auto connection = administrator();
      must(connection->execute("CREATE DATABASE " + name + " TEMPLATE template0 " + traits));
      PostgresOptions options;
      options.url = PostgresBackend::server();
      options.url.replace(options.url.rfind('/') + 1, std::string::npos, name);
      ManualEnv world;
      const auto refused = storage::open_postgres(options, {}, world.env());
      CHECK(failure(refused) == "storage.unsuitable");
      if (!refused) CHECK(refused.error().message().find("LOCALE 'C'") != std::string::npos);
      must(connection->execute("DROP DATABASE " + name));
    }
  }

  TEST_CASE("A server that is not there is unavailable, and its address is told") {
    ManualEnv world;
    PostgresOptions options;
    options.url = "postgresql://nobody@127.0.0.1:1/ecp";
    const auto refused = storage::open_postgres(options, {}, world.env());
    REQUIRE(failure(refused) == "storage.unavailable");
    CHECK(refused.error().message().find("127.0.0.1") != std::string::npos);
  }

  TEST_CASE("A wrong URL is refused without repeating it") {
    ManualEnv world;
    PostgresOptions options;
    options.url = "postgresql://user:hunter2@host:port:port/x?nonsense";
    const auto refused = storage::open_postgres(options, {}, world.env());
    REQUIRE(failure(refused) == "storage.unsuitable");
    CHECK(refused.error().describe().find("hunter2") == std::string::npos);
  }
}

}  // namespace
}  // namespace ecp_test
#endif
