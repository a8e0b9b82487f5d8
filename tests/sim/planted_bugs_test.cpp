// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/storage/sql/agent.hpp>

#include "sim/planted_bugs.hpp"
#include "sim/sim_world.hpp"

#include <doctest/doctest.h>

namespace ecp_test {
namespace {

constexpr std::uint64_t most_seeds = 20;  // As many as the simulation runs without a bug.

/// The first of the simulation's seeds that reports a fault with this text; 0 when none does.
std::uint64_t seed_that_finds(const std::string& text, const SimParts& parts) {
  for (std::uint64_t seed = 1; seed <= most_seeds; ++seed) {
    const auto faults = run_simulation(seed, parts).faults;
    const bool is_found = std::any_of(faults.begin(), faults.end(), [&](const auto& fault) {
      return fault.find(text) != std::string::npos;
    });
    if (is_found) return seed;
  }
  return 0;
}

TEST_SUITE("sim.planted_bugs") {
  TEST_CASE("a series store that acknowledges what it did not store is found") {
    SimParts parts;
    parts.wrap_series = lying_series;
    CHECK(seed_that_finds("samples were committed and", parts) != 0);
  }

  TEST_CASE("a series store that does not know samples by other numbers is found") {
    SimParts parts;
    parts.wrap_series = forgetful_series;
    CHECK(seed_that_finds("samples are stored twice", parts) != 0);
  }

  TEST_CASE("a series store that shows values to another tenant is found") {
    SimParts parts;
    parts.wrap_series = open_series;
    CHECK(seed_that_finds("sees values of another tenant", parts) != 0);
  }

  TEST_CASE("an outbox that loses notices is found") {
    SimParts parts;
    parts.modules = {&platform_module_that_loses_notices()};
    CHECK(seed_that_finds("notices came", parts) != 0);
  }

  TEST_CASE("an agent that runs commands without journaling them is found") {
    SimParts parts;
    parts.modules = {&agent_module_without_journal()};
    CHECK(seed_that_finds("a write ran twice", parts) != 0);
  }

  TEST_CASE("an agent that starts with an older manifest than it had is found") {
    SimParts parts;
    parts.modules = {&agent_module_with_first_manifest()};
    CHECK(seed_that_finds("went back to an old manifest", parts) != 0);
  }
}

}  // namespace
}  // namespace ecp_test
