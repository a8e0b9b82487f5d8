// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>
#include <pthread.h>

#include <array>
#include <atomic>
#include <csignal>
#include <ecp/core/env.hpp>
#include <future>
#include <set>
#include <stdexcept>
#include <thread>

namespace ecp {
namespace {

using namespace std::chrono_literals;

struct ThreadFacts {
  std::string name;
  bool blocks_signals = false;
};

ThreadFacts facts_of_this_thread() {
  std::array<char, 16> name{};
  pthread_getname_np(pthread_self(), name.data(), name.size());
  sigset_t mask;
  pthread_sigmask(SIG_SETMASK, nullptr, &mask);
  return {name.data(), sigismember(&mask, SIGTERM) == 1 && sigismember(&mask, SIGCHLD) == 1};
}

TEST_SUITE("core.ExecutorThread") {
  TEST_CASE("tasks of one thread run in their order on another thread, which blocks signals") {
    std::vector<int> order;
    std::set<std::thread::id> threads;
    ThreadFacts facts;
    {
      ExecutorThread executor("ecp-test");
      for (int i = 0; i < 1000; ++i) {
        executor.post([&, i] {
          order.push_back(i);
          threads.insert(std::this_thread::get_id());
        });
      }
      executor.post([&] { facts = facts_of_this_thread(); });
    }

    REQUIRE(order.size() == 1000);
    for (int i = 0; i < 1000; ++i) CHECK(order[static_cast<std::size_t>(i)] == i);
    CHECK(threads.size() == 1);
    CHECK(threads.count(std::this_thread::get_id()) == 0);
    CHECK(facts.name == "ecp-test");
    CHECK(facts.blocks_signals);
  }

  TEST_CASE("the caller's own signal mask stays as it was") {
    sigset_t before;
    sigset_t after;
    pthread_sigmask(SIG_SETMASK, nullptr, &before);
    ExecutorThread executor;
    pthread_sigmask(SIG_SETMASK, nullptr, &after);

    CHECK(sigismember(&before, SIGTERM) == sigismember(&after, SIGTERM));
  }

  TEST_CASE("timers run by their times and not before") {
    ExecutorThread executor;
    std::promise<std::string> done;
    std::string order;
    const auto begin = system_clock().steady();
    executor.post_after(20ms, [&] {
      order += 'b';
      done.set_value(order);
    });
    executor.post_after(1ms, [&] { order += 'a'; });

    CHECK(done.get_future().get() == "ab");
    CHECK(system_clock().steady() - begin >= 20ms);
  }

  TEST_CASE("a timer cancelled from a task does not run, also when both are due") {
    for (int round = 0; round < 50; ++round) {
      ExecutorThread executor;
      std::atomic<int> runs = 0;
      std::promise<void> done;
      executor.post([&] {
        const auto victim = executor.post_after(0ms, [&] { ++runs; });
        const auto begin = system_clock().steady();
        while (system_clock().steady() - begin < 1ms) {
        }
        executor.cancel(victim);
        executor.post_after(1ms, [&] { done.set_value(); });
      });
      done.get_future().get();
      executor.stop();

      CHECK(runs == 0);
    }
  }

  TEST_CASE("stop runs what was posted, cancels timers, drops later posts and may come twice") {
    ExecutorThread executor;
    int runs = 0;
    bool has_timer_run = false;
    executor.post_after(1h, [&] { has_timer_run = true; });
    for (int i = 0; i < 100; ++i) executor.post([&] { ++runs; });

    executor.stop();
    executor.post([&] { ++runs; });
    CHECK(executor.post_after(0ms, [&] { ++runs; }) == TimerId::none);
    executor.stop();

    CHECK(runs == 100);
    CHECK_FALSE(has_timer_run);
  }
}

TEST_SUITE("core.WorkerPool") {
  TEST_CASE("workers run everything that was queued before the stop, on threads of their own") {
    std::atomic<int> runs = 0;
    WorkerPool workers(3, "ecp-test");
    std::promise<ThreadFacts> facts;
    workers.post([&] { facts.set_value(facts_of_this_thread()); });
    for (int i = 0; i < 1000; ++i) workers.post([&] { ++runs; });

    workers.stop();
    workers.post([&] { ++runs; });
    workers.stop();

    CHECK(runs == 1000);
    const auto seen = facts.get_future().get();
    CHECK(seen.name == "ecp-test");
    CHECK(seen.blocks_signals);
  }

  TEST_CASE("as many tasks as threads run at once") {
    WorkerPool workers(2);
    std::promise<void> first;
    std::promise<void> second;
    workers.post([&] {
      first.set_value();
      second.get_future().get();
    });
    workers.post([&] {
      first.get_future().get();
      second.set_value();
    });

    workers.stop();
  }
}

TEST_SUITE("core.RealEnv") {
  TEST_CASE("work goes from executor to workers and back, and stop ends it") {
    MemoryLog log;
    RealEnv world(log, 2);
    const Env env = world.env();
    std::promise<IdBytes> done;
    env.executor.post([&] {
      env.workers.post([&] {
        const auto id = env.ids.next_bytes();
        env.executor.post([&done, id] { done.set_value(id); });
      });
    });

    CHECK(done.get_future().get() != IdBytes{});
    CHECK(&env.log == &log);
    world.stop();
    world.stop();
  }

  TEST_CASE("an exception that escapes a task is logged and the workers go on") {
    MemoryLog log;
    RealEnv world(log, 1);
    const auto env = world.env();
    std::promise<void> done;
    env.workers.post([] { throw std::runtime_error("the vendor's fault"); });
    env.workers.post([] { throw 7; });
    env.workers.post([&] { done.set_value(); });

    done.get_future().get();

    REQUIRE(log.entries().size() == 2);
    CHECK(log.entries()[0].level == LogLevel::error);
    CHECK(log.contains("the vendor's fault"));
  }

  TEST_CASE("an exception that escapes a callback or a timer is logged and the executor goes on") {
    MemoryLog log;
    RealEnv world(log, 1);
    const auto env = world.env();
    std::promise<void> done;
    env.executor.post([] { throw std::runtime_error("the vendor's fault"); });
    env.executor.post_after(0ms, [] { throw 7; });
    env.executor.post_after(1ms, [&] { done.set_value(); });

    done.get_future().get();

    REQUIRE(log.entries().size() == 2);
    CHECK(log.entries()[0].level == LogLevel::error);
    CHECK(log.contains("the vendor's fault"));
  }
}

}  // namespace
}  // namespace ecp
