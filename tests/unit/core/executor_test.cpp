// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <ecp/core/env.hpp>
#include <string>

namespace ecp {
namespace {

using namespace std::chrono_literals;

/// Post 20 tasks to each side, run them and return their order, such as "e0 w0 w1 e1".
std::vector<std::string> shuffled(std::uint64_t seed) {
  ManualClock clock;
  ManualExecutor executor(clock, seed);
  std::vector<std::string> order;
  for (int i = 10; i < 30; ++i) {
    executor.post([&order, i] { order.push_back("e" + std::to_string(i)); });
    executor.workers().post([&order, i] { order.push_back("w" + std::to_string(i)); });
  }
  executor.run_ready();
  return order;
}

TEST_SUITE("core.ManualExecutor") {
  TEST_CASE("nothing runs inside post and everything runs in the order posted") {
    ManualClock clock;
    ManualExecutor executor(clock);
    std::string order;

    executor.post([&] {
      order += 'a';
      executor.post([&] { order += 'c'; });
    });
    executor.workers().post([&] { order += 'b'; });

    CHECK(order.empty());
    CHECK(executor.run_ready() == 3);
    CHECK(order == "abc");
    CHECK(executor.run_ready() == 0);
  }

  TEST_CASE("a timer runs when its time has come and not before") {
    ManualClock clock;
    ManualExecutor executor(clock);
    int runs = 0;
    executor.post_after(10ms, [&] { ++runs; });

    executor.advance(9ms);
    CHECK(runs == 0);
    executor.advance(1ms);
    CHECK(runs == 1);
    executor.advance(100ms);
    CHECK(runs == 1);
  }

  TEST_CASE("advancing stops the clock at each timer, also at those made on the way") {
    ManualClock clock(from_ms(0));
    ManualExecutor executor(clock);
    std::vector<std::int64_t> times;
    const auto note = [&] { times.push_back(to_ms(clock.now())); };
    executor.post_after(30ms, note);
    executor.post_after(10ms, [&] {
      note();
      executor.post_after(5ms, note);
    });

    executor.advance(40ms);

    CHECK(times == std::vector<std::int64_t>{10, 15, 30});
    CHECK(to_ms(clock.now()) == 40);
  }

  TEST_CASE("timers of one time run in the order made, and a negative delay is none") {
    ManualClock clock;
    ManualExecutor executor(clock);
    std::string order;
    executor.post_after(5ms, [&] { order += 'b'; });
    executor.post_after(5ms, [&] { order += 'c'; });
    executor.post_after(-5ms, [&] { order += 'a'; });

    executor.run_ready();
    CHECK(order == "a");
    executor.advance(5ms);
    CHECK(order == "abc");
  }

  TEST_CASE("a cancelled timer does not run, also when its time has come already") {
    ManualClock clock;
    ManualExecutor executor(clock);
    int runs = 0;
    const auto early = executor.post_after(1ms, [&] { ++runs; });
    TimerId late{};
    executor.post_after(2ms, [&] { executor.cancel(late); });
    late = executor.post_after(2ms, [&] { ++runs; });
    executor.cancel(early);

    executor.advance(10ms);

    CHECK(runs == 0);
    executor.cancel(early);
    executor.cancel(TimerId::none);
    executor.cancel(TimerId{12'345});
  }

  TEST_CASE("setting the wall clock does not run a timer") {
    ManualClock clock;
    ManualExecutor executor(clock);
    int runs = 0;
    executor.post_after(10ms, [&] { ++runs; });

    clock.step_wall(1h);
    executor.run_ready();

    CHECK(runs == 0);
  }

  TEST_CASE("the same seed gives the same order and another seed another") {
    CHECK(shuffled(5) == shuffled(5));
    CHECK(shuffled(5) != shuffled(6));
  }

  TEST_CASE("a seed shuffles the workers' tasks and leaves the executor's in order") {
    for (std::uint64_t seed = 1; seed < 20; ++seed) {
      const auto order = shuffled(seed);
      std::vector<std::string> executors;
      std::vector<std::string> workers;
      for (const auto& name : order) (name[0] == 'e' ? executors : workers).push_back(name);

      CHECK(executors.size() == 20);
      CHECK(workers.size() == 20);
      CHECK(std::is_sorted(executors.begin(), executors.end()));
      CHECK_FALSE(std::is_sorted(workers.begin(), workers.end()));
    }
  }
}

TEST_SUITE("core.ManualEnv") {
  TEST_CASE("an environment of one seed repeats randomness, ids and order") {
    const auto story = [](std::uint64_t seed) {
      ManualEnv world(seed);
      const Env env = world.env();
      std::string text = to_hex(env.random.bytes(8));
      for (int i = 0; i < 10; ++i) {
        env.workers.post([&text, i] { text += std::to_string(i); });
        env.executor.post_after(Milliseconds{i}, [&text] { text += 'e'; });
      }
      world.executor.advance(20ms);
      return text;
    };

    CHECK(story(3) == story(3));
    CHECK(story(3) != story(4));
  }
}

}  // namespace
}  // namespace ecp
