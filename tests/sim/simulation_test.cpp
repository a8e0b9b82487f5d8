// SPDX-License-Identifier: Apache-2.0
#include <cstdlib>

#include "sim/sim_world.hpp"

#include <doctest/doctest.h>

namespace ecp_test {
namespace {

/// ECP_SIM_SEED=17 runs that seed alone.
std::vector<std::uint64_t> seeds() {
  if (const char* one = std::getenv("ECP_SIM_SEED")) return {std::strtoull(one, nullptr, 10)};
  std::vector<std::uint64_t> all;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) all.push_back(seed);
  return all;
}

TEST_SUITE("sim") {
  TEST_CASE("whatever breaks, nothing committed is lost or doubled and nothing runs twice") {
    for (const auto seed : seeds()) {
      CAPTURE(seed);
      for (const auto& fault : run_simulation(seed).faults) {
        FAIL_CHECK(fault << " (seed " << seed << ")");
      }
    }
  }

  TEST_CASE("the same seed gives the same history") {
    CHECK(run_simulation(7).history == run_simulation(7).history);
  }
}

}  // namespace
}  // namespace ecp_test
