// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <memory>
#include <optional>
#include <stdexcept>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/limits.hpp>

#include "transport/inbox.hpp"

using namespace ecp;
using transport::Inbox;

namespace {

constexpr int at_once = static_cast<int>(Inbox::events_at_once);

/// An inbox whose messages are numbers, and what came out of it.
struct World {
  void push(int number) {
    inbox->push(1, [this, number] { seen.push_back(number); });
  }
  void push_many(int count) {
    for (int number = 0; number < count; ++number) push(number);
  }

  ManualEnv env;
  std::shared_ptr<Inbox> inbox =
      std::make_shared<Inbox>(env.executor, limits::inbound_queue, limits::inbound_octets);
  std::vector<int> seen;
};

std::vector<int> numbers_below(int end) {
  std::vector<int> numbers;
  for (int number = 0; number < end; ++number) numbers.push_back(number);
  return numbers;
}

}  // namespace

TEST_SUITE("transport.Inbox") {
  TEST_CASE("a burst costs one task and keeps its order") {
    World world;
    world.push_many(at_once);
    CHECK(world.env.executor.run_ready() == 1);
    CHECK(world.seen == numbers_below(at_once));
  }

  TEST_CASE("other work of the executor has its turn within a long queue") {
    World world;
    std::size_t seen_before = 0;
    world.push_many(2 * at_once);
    world.env.executor.post([&] { seen_before = world.seen.size(); });
    CHECK(world.env.executor.run_ready() == 3);
    CHECK(seen_before == Inbox::events_at_once);
    CHECK(world.seen == numbers_below(2 * at_once));
  }

  TEST_CASE("nothing is posted while a burst is read, and one task for all of it after it") {
    World world;
    std::optional<Inbox::Burst> burst(*world.inbox);
    world.push(0);
    CHECK(world.env.executor.run_ready() == 0);
    world.inbox->push_state([&] { world.seen.push_back(1); });
    CHECK(world.env.executor.run_ready() == 0);
    burst.reset();
    CHECK(world.env.executor.run_ready() == 1);
    CHECK(world.seen == numbers_below(2));
  }

  TEST_CASE("a burst without messages posts nothing") {
    World world;
    std::optional<Inbox::Burst>(*world.inbox).reset();
    CHECK(world.env.executor.run_ready() == 0);
  }

  TEST_CASE("what a burst adds to a queue whose task is on its way costs no other") {
    World world;
    world.push(0);
    std::optional<Inbox::Burst> burst(*world.inbox);
    world.push(1);
    burst.reset();
    CHECK(world.env.executor.run_ready() == 1);
    CHECK(world.seen == numbers_below(2));
  }

  TEST_CASE("a message that a handler pushes comes after those that wait") {
    World world;
    world.inbox->push(1, [&] { world.push(1); });
    world.push(0);
    world.env.executor.run_ready();
    CHECK(world.seen == numbers_below(2));
  }

  TEST_CASE("a handler that throws costs its own message only") {
    World world;
    world.inbox->push(1, [] { throw std::runtime_error("a defect"); });
    world.push(0);
    CHECK_THROWS_AS(world.env.executor.run_ready(), std::runtime_error);
    world.env.executor.run_ready();
    CHECK(world.seen == numbers_below(1));
    world.push(1);
    world.env.executor.run_ready();
    CHECK(world.seen == numbers_below(2));
  }

  TEST_CASE("no handler starts once the inbox is closed, also in the middle of a task") {
    World world;
    world.push(0);
    world.inbox->push_state([&] { world.inbox->close(); });
    world.push(1);
    world.env.executor.run_ready();
    world.push(2);
    world.env.executor.run_ready();
    CHECK(world.seen == numbers_below(1));
    CHECK(world.inbox->dropped() == 0);
  }

  TEST_CASE("messages are bounded by count and by octets, states are not") {
    ManualEnv env;
    const auto inbox = std::make_shared<Inbox>(env.executor, 2, 10);
    int ran = 0;
    const auto count = [&] { ++ran; };
    CHECK(inbox->push(6, count));
    CHECK_FALSE(inbox->push(5, count));
    CHECK(inbox->push(4, count));
    CHECK_FALSE(inbox->push(0, count));
    inbox->push_state(count);
    CHECK(inbox->dropped() == 2);
    env.executor.run_ready();
    CHECK(ran == 3);
    CHECK(inbox->push(10, count));
  }
}
