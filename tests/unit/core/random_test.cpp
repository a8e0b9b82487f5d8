// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <array>
#include <ecp/core/env.hpp>
#include <set>

namespace ecp {
namespace {

TEST_SUITE("core.Random") {
  TEST_CASE("a seeded source repeats and another seed differs") {
    SeededRandom one(42);
    SeededRandom same(42);
    SeededRandom other(43);

    const Bytes octets = one.bytes(100);

    CHECK(octets == same.bytes(100));
    CHECK(octets != other.bytes(100));
    CHECK(octets != one.bytes(100));
  }

  TEST_CASE("numbers below a bound reach each value about equally often") {
    SeededRandom random(1);
    std::array<int, 6> counts{};
    for (int i = 0; i < 6000; ++i) ++counts[random.below(6)];

    for (const int count : counts) {
      CHECK(count > 850);
      CHECK(count < 1150);
    }
    CHECK(random.below(0) == 0);
    CHECK(random.below(1) == 0);
  }

  TEST_CASE("the real source does not repeat and fills every length") {
    MemoryLog log;
    RealEnv world(log, 1);
    std::set<Bytes> seen;
    for (std::size_t i = 0; i < 100; ++i) {
      const Bytes octets = world.env().random.bytes(16 + i);
      CHECK(octets.size() == 16 + i);
      seen.insert(octets.substr(0, 16));
    }

    CHECK(seen.size() == 100);
  }
}

}  // namespace
}  // namespace ecp
