// SPDX-License-Identifier: Apache-2.0
// What a Store promises, on every database.
#include <atomic>
#include <future>
#include <thread>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/log.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/storage/reasons.hpp>

#include "support/backends.hpp"
#include "support/faulty_store.hpp"
#include "support/probe.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using storage::Store;

/// A fresh store in the real world, or null where the backend is not there.
template <class Backend>
struct Fixture {
  MemoryLog log;
  RealEnv world{log, 2};
  std::unique_ptr<Store> store =
      Backend::is_available() ? must(Backend::open(probe_modules, world.env())) : nullptr;
};

/// Read a number and write the next: lost when two of these do not see each other.
Result<void> increment(Transaction& transaction) {
  auto number = ask(transaction, "SELECT number FROM probe WHERE name = 'counter'");
  if (!number) return std::move(number).error();
  auto changed = transaction.connection().run("UPDATE probe SET number = $1 WHERE name = 'counter'",
                                              *number + 1);
  if (!changed) return std::move(changed).error();
  return {};
}

std::int64_t counter(Store& store) {
  return must(store.read(
      [](Transaction& t) { return ask(t, "SELECT number FROM probe WHERE name = 'counter'"); }));
}

TEST_SUITE("conformance.storage") {
  TEST_CASE_TEMPLATE("A unit's value commits and is returned, its error undoes everything", Backend,
                     ECP_TEST_BACKENDS) {
    Fixture<Backend> fixture;
    if (!fixture.store) return;
    const auto value = fixture.store->write([](Transaction& t) -> Result<std::string> {
      CHECK(t.can_write());
      if (auto done = put(t, "kept", 1); !done) return std::move(done).error();
      return "value";
    });
    REQUIRE(value);
    CHECK(*value == "value");
    const auto error = fixture.store->write([](Transaction& t) -> Result<std::string> {
      if (auto done = put(t, "lost", 1); !done) return std::move(done).error();
      return Error(ecp::reasons::not_found, {{"noun", "thing"}});
    });
    CHECK(failure(error) == "core.not_found");
    CHECK(error.error().message() == "there is no such thing");
    CHECK(count(*fixture.store) == 1);
  }

  TEST_CASE_TEMPLATE("What was committed is there when the database is opened again", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available() || !Backend::keeps_content) return;
    Fixture<Backend> world;
    const Backend place;
    {
      auto store = must(place.reopen(probe_modules, world.world.env()));
      must(store->write([](Transaction& t) { return put(t, "kept", 1); }));
    }
    auto store = must(place.reopen(probe_modules, world.world.env()));
    CHECK(count(*store) == 1);
  }

  TEST_CASE_TEMPLATE("A unit that only reads cannot write", Backend, ECP_TEST_BACKENDS) {
    Fixture<Backend> fixture;
    if (!fixture.store) return;
    const auto outcome = fixture.store->read([](Transaction& t) {
      CHECK_FALSE(t.can_write());
      return put(t, "x", 1);
    });
    CHECK(failure(outcome) == "storage.read_only");
    CHECK(count(*fixture.store) == 0);
  }

  TEST_CASE_TEMPLATE("A reading unit sees one state while others write", Backend,
                     ECP_TEST_BACKENDS) {
    // In memory a writer waits for the readers, so that this holds by itself.
    if (!Backend::is_available() || !Backend::keeps_content) return;
    Fixture<Backend> fixture;
    const auto before = must(fixture.store->read([&](Transaction& t) -> Result<std::int64_t> {
      auto first = ask(t, "SELECT COUNT(*) FROM probe");
      std::thread([&] {
        must(fixture.store->write([](Transaction& other) { return put(other, "new", 1); }));
      }).join();
      auto second = ask(t, "SELECT COUNT(*) FROM probe");
      CHECK(*first == *second);
      return first;
    }));
    CHECK(before == 0);
    CHECK(count(*fixture.store) == 1);
  }

  TEST_CASE_TEMPLATE("A wake runs after the commit, and never for a unit that failed", Backend,
                     ECP_TEST_BACKENDS) {
    Fixture<Backend> fixture;
    if (!fixture.store) return;
    std::atomic<int> woken = 0;
    const auto unit = [&](bool good) {
      return [&woken, good](Transaction& t) -> Result<void> {
        t.after_commit([&woken] { ++woken; });
        t.after_commit([&woken] { ++woken; });
        CHECK(woken == 0);
        if (!good) return ecp::reasons::internal;
        return {};
      };
    };
    CHECK_FALSE(fixture.store->write(unit(false)));
    CHECK(woken == 0);
    must(fixture.store->write(unit(true)));
    CHECK(woken == 2);
  }

  TEST_CASE_TEMPLATE("A wake is dropped when the commit itself fails", Backend, ECP_TEST_BACKENDS) {
    Fixture<Backend> fixture;
    if (!fixture.store) return;
    FaultyStore faulty(*fixture.store);
    std::atomic<int> woken = 0;
    const auto unit = [&](Transaction& t) {
      t.after_commit([&woken] { ++woken; });
      return put(t, "x", 1);
    };
    faulty.fail_next_commit();
    CHECK(failure(faulty.write(unit)) == "storage.unavailable");
    CHECK(count(faulty) == 0);
    CHECK(woken == 0);
    faulty.lose_next_answer();
    CHECK(failure(faulty.write(unit)) == "storage.commit_unknown");
    CHECK(count(faulty) == 1);
    CHECK(woken == 1);
  }

  TEST_CASE_TEMPLATE("Writers at the same time lose no update", Backend, ECP_TEST_BACKENDS) {
    Fixture<Backend> fixture;
    if (!fixture.store) return;
    must(fixture.store->write([](Transaction& t) { return put(t, "counter", 0); }));
    constexpr int writers = 3;
    constexpr int rounds = 20;
    std::vector<std::thread> threads;
    for (int writer = 0; writer < writers; ++writer) {
      threads.emplace_back([&] {
        for (int round = 0; round < rounds; ++round) {
          // A conflict that outlasts the retries is told, and may be tried again.
          while (true) {
            const auto outcome = fixture.store->write(increment);
            if (outcome || !is_retryable(outcome.error().code())) break;
          }
        }
      });
    }
    for (auto& thread : threads) thread.join();
    CHECK(counter(*fixture.store) == writers * rounds);
  }

  TEST_CASE_TEMPLATE("One unit's failure in a crowd harms no other", Backend, ECP_TEST_BACKENDS) {
    Fixture<Backend> fixture;
    if (!fixture.store) return;
    constexpr int units = 300;
    std::atomic<int> failed = 0;
    std::atomic<int> left = units;
    std::promise<void> all;
    for (int number = 0; number < units; ++number) {
      fixture.store->async_write(
          [number](Transaction& t) -> Result<void> {
            if (auto done = put(t, "n" + std::to_string(number), number); !done) return done;
            if (number % 3 == 0) return ecp::reasons::internal;
            return {};
          },
          [&](const Result<void>& outcome) {
            if (!outcome) ++failed;
            if (--left == 0) all.set_value();
          });
    }
    all.get_future().get();
    CHECK(failed == units / 3);
    CHECK(count(*fixture.store) == units - units / 3);
  }

  TEST_CASE_TEMPLATE("A closed store finishes what was queued and refuses the rest", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    const Backend place;
    std::atomic<int> succeeded = 0;
    std::atomic<int> refused = 0;
    {
      MemoryLog log;
      RealEnv world(log, 1);
      auto store = must(place.reopen(probe_modules, world.env()));
      const auto handler = [&](const Result<void>& outcome) {
        if (outcome) ++succeeded;
        if (!outcome && outcome.error().code() == ErrorCode::cancelled) ++refused;
      };
      for (int number = 0; number < 50; ++number) {
        store->async_write(
            [number](Transaction& t) { return put(t, "n" + std::to_string(number), number); },
            handler);
      }
      store->close();
      store->close();
      store->async_write([](Transaction& t) { return put(t, "late", 1); }, handler);
      CHECK(failure(store->write([](Transaction& t) { return put(t, "late", 1); })) ==
            "storage.closed");
      CHECK(failure(store->read([](Transaction& t) { return ask(t, "SELECT 1"); })) ==
            "storage.closed");
      store.reset();
    }
    CHECK(succeeded == 50);
    CHECK(refused == 1);
    if (!Backend::keeps_content) return;
    Fixture<Backend> again;
    CHECK(count(*must(place.reopen(probe_modules, again.world.env()))) == 50);
  }
}

}  // namespace
}  // namespace ecp_test
