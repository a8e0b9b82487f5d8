// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <stdexcept>

#include <ecp/core/env.hpp>

#include "agent/lane.hpp"

TEST_SUITE("agent.Lane") {
  TEST_CASE("a task that throws is logged, the next ones run and the lane can be closed") {
    ecp::MemoryLog log;
    ecp::ManualEnv world;
    const auto lane = std::make_shared<ecp::agent::Lane>(world.executor.workers(), log);
    int runs = 0;
    lane->post([] { throw std::runtime_error("a defect"); });
    lane->post([&] { ++runs; });

    world.executor.run_ready();
    lane->post([&] { ++runs; });
    world.executor.run_ready();
    lane->close();

    CHECK(runs == 2);
    CHECK(log.contains("a defect"));
    CHECK(log.contains("the agent's lane"));
  }
}
