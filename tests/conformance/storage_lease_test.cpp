// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <optional>
#include <thread>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/storage/lease.hpp>
#include <ecp/storage/reasons.hpp>

#include "support/backends.hpp"
#include "support/probe.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using storage::Fence;
using storage::LeaseStore;
using storage::Store;

std::optional<Fence> acquire(Store& store, std::string_view holder) {
  return must(store.write([=](Transaction& t) {
    return t.get<LeaseStore>().acquire("sequencer", holder, std::chrono::minutes(5));
  }));
}

Result<void> check(Store& store, Fence fence) {
  return store.write([=](Transaction& t) { return t.get<LeaseStore>().check("sequencer", fence); });
}

/// What the passing of time does, on a database whose clock cannot be moved.
void expire(Store& store) {
  must(store.write([](Transaction& t) -> Result<void> {
    auto done = t.connection().run("UPDATE ecp_leases SET expires_at = 1");
    if (!done) return done.error();
    return {};
  }));
}

TEST_SUITE("conformance.leases") {
  TEST_CASE_TEMPLATE("A lease has one holder, who may extend it", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open({}, world.env()));
    const auto fence = acquire(*store, "a");
    REQUIRE(fence);
    CHECK_FALSE(acquire(*store, "b"));
    CHECK(acquire(*store, "a") == fence);
    must(check(*store, *fence));
  }

  TEST_CASE_TEMPLATE("A new holder has a higher fence, and the old one's writes are refused",
                     Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open({}, world.env()));
    const auto first = acquire(*store, "a");
    REQUIRE(first);
    expire(*store);
    must(check(*store, *first));  // Nobody took it meanwhile.
    const auto second = acquire(*store, "b");
    REQUIRE(second);
    CHECK(*second > *first);
    CHECK(failure(check(*store, *first)) == "storage.lease_lost");
    must(check(*store, *second));
    CHECK_FALSE(acquire(*store, "a"));
  }

  TEST_CASE_TEMPLATE("A released lease is free at once, and only its holder releases it", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open({}, world.env()));
    const auto release = [&](std::string_view holder) {
      must(store->write(
          [=](Transaction& t) { return t.get<LeaseStore>().release("sequencer", holder); }));
    };
    const auto first = acquire(*store, "a");
    release("b");
    CHECK_FALSE(acquire(*store, "b"));
    release("a");
    const auto second = acquire(*store, "b");
    REQUIRE(second);
    CHECK(*second > *first);
  }

  TEST_CASE_TEMPLATE("A lease that never was is held by nobody", Backend, ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open({}, world.env()));
    CHECK(failure(check(*store, Fence{1})) == "storage.lease_lost");
  }

  TEST_CASE_TEMPLATE("Of many who reach for a lease at once, one gets it", Backend,
                     ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    ManualEnv world;
    auto store = must(Backend::open({}, world.env()));
    for (int round = 0; round < 5; ++round) {
      std::atomic<int> holders = 0;
      std::vector<std::thread> threads;
      for (const char* holder : {"a", "b", "c"}) {
        threads.emplace_back([&store, &holders, holder, round] {
          const auto name = std::string(holder) + std::to_string(round);
          if (acquire(*store, name)) ++holders;
        });
      }
      for (auto& thread : threads) thread.join();
      CHECK(holders == 1);
      expire(*store);
    }
  }
}

TEST_SUITE("storage.leases") {
  TEST_CASE("A lease on SQLite ends by the env's clock") {
    ManualEnv world;
    auto store = must(MemoryBackend::open({}, world.env()));
    REQUIRE(acquire(*store, "a"));
    world.clock.advance(std::chrono::minutes(5) - Milliseconds(1));
    CHECK_FALSE(acquire(*store, "b"));
    world.clock.advance(Milliseconds(1));
    CHECK(acquire(*store, "b"));
  }
}

}  // namespace
}  // namespace ecp_test
