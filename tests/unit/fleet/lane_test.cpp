// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <stdexcept>

#include <ecp/core/env.hpp>

#include "fleet/lane.hpp"

TEST_SUITE("fleet.Lane") {
  TEST_CASE("work that throws is logged, the next messages are worked on and the lane stops") {
    ecp::ManualEnv world;
    std::size_t worked = 0;
    const auto lane = std::make_shared<ecp::fleet::Lane>(
        [&](std::vector<ecp::fleet::Heard>& messages) {
          if (worked++ == 0) throw std::runtime_error("a defect");
          CHECK(messages.size() == 1);
        },
        1, world.env());

    REQUIRE(lane->push({}));
    REQUIRE(lane->push({}));
    world.executor.run_ready();
    lane->stop();

    CHECK(worked == 2);
    CHECK(world.log.contains("a defect"));
  }
}
