// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <asio/executor_work_guard.hpp>
#include <ecp/asio_executor.hpp>
#include <string>

namespace ecp {
namespace {

using namespace std::chrono_literals;

TEST_SUITE("AsioExecutor") {
  TEST_CASE("tasks and timers run on the program's own context, cancelled ones do not") {
    asio::io_context context;
    AsioExecutor executor(context);
    std::string order;
    executor.post([&] { order += 'a'; });
    executor.post([&] { order += 'b'; });
    const auto cancelled = executor.post_after(0ms, [&] { order += 'x'; });
    executor.post_after(2ms, [&] { order += 'd'; });
    executor.post_after(1ms, [&] { order += 'c'; });
    executor.cancel(cancelled);
    CHECK(order.empty());

    context.run();

    CHECK(order == "abcd");
  }

  TEST_CASE("an executor that is gone leaves no timer behind") {
    asio::io_context context;
    int runs = 0;
    {
      AsioExecutor executor(context);
      executor.post_after(0ms, [&] { ++runs; });
      executor.post_after(1h, [&] { ++runs; });
    }

    context.run();

    CHECK(runs == 0);
  }
}

}  // namespace
}  // namespace ecp
