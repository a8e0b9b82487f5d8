// SPDX-License-Identifier: Apache-2.0
#include <stdexcept>

#include <doctest/doctest.h>

#include <ecp/core/env.hpp>

#include "plane/recurring.hpp"

TEST_SUITE("plane.Recurring") {
  TEST_CASE("a run that throws is told, and neither the last one nor waited for") {
    ecp::ManualEnv world;
    int runs = 0;
    ecp::plane::Recurring recurring(
        ecp::Milliseconds{1'000},
        [&] {
          if (++runs == 1) throw std::runtime_error("out of luck");
        },
        world.env());
    recurring.start();

    world.executor.advance(ecp::Milliseconds{3'500});
    recurring.stop();
    world.executor.advance(ecp::Milliseconds{3'500});

    CHECK(runs == 3);
    CHECK(world.log.contains("out of luck"));
  }
}
