// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/core/reasons.hpp>
#include <limits>

namespace ecp {
namespace {

TEST_SUITE("core.Time") {
  TEST_CASE("times are written in UTC with milliseconds") {
    CHECK(to_rfc3339(from_ms(0)) == "1970-01-01T00:00:00.000Z");
    CHECK(to_rfc3339(from_ms(-1)) == "1969-12-31T23:59:59.999Z");
    CHECK(to_rfc3339(from_ms(1'709'210'096'789)) == "2024-02-29T12:34:56.789Z");
  }

  TEST_CASE("times beyond four digits of a year are written as the last that fits") {
    CHECK(to_rfc3339(from_ms(std::numeric_limits<std::int64_t>::max())) ==
          "9999-12-31T23:59:59.999Z");
    CHECK(to_rfc3339(from_ms(std::numeric_limits<std::int64_t>::min())) ==
          "0000-01-01T00:00:00.000Z");
  }

  TEST_CASE("times are read with any offset and fraction") {
    const auto ms = [](const char* text) { return to_ms(parse_rfc3339(text).value()); };

    CHECK(ms("2024-02-29T12:34:56.789Z") == 1'709'210'096'789);
    CHECK(ms("2024-02-29t14:34:56.7899999+02:00") == 1'709'210'096'789);
    CHECK(ms("2024-02-29T07:04:56.7-05:30") == 1'709'210'096'700);
    CHECK(ms("1970-01-01T00:00:00z") == 0);
  }

  TEST_CASE("every written time comes back") {
    SeededRandom random(3);
    for (int i = 0; i < 1000; ++i) {
      const Time time = from_ms(static_cast<std::int64_t>(random.below(4'000'000'000'000)));
      REQUIRE(parse_rfc3339(to_rfc3339(time)).value() == time);
    }
  }

  TEST_CASE("[R24] what is no time is refused") {
    for (const auto* text : {"",
                             "null",
                             "now",
                             "2024-02-29",
                             "2023-02-29T00:00:00Z",
                             "2024-13-01T00:00:00Z",
                             "2024-00-01T00:00:00Z",
                             "2024-01-00T00:00:00Z",
                             "2024-01-01T24:00:00Z",
                             "2024-01-01T00:60:00Z",
                             "2024-01-01T00:00:60Z",
                             "2024-01-01T00:00:00",
                             "2024-01-01T00:00:00.Z",
                             "2024-01-01 00:00:00Z",
                             "2024-01-01T00:00:00Zx",
                             "2024-01-01T00:00:00+24:00",
                             "2024-01-01T00:00:00+0100",
                             " 2024-01-01T00:00:00Z",
                             "+024-01-01T00:00:00Z",
                             "99999-01-01T00:00:00Z"}) {
      CAPTURE(text);
      CHECK(parse_rfc3339(text).error().is(reasons::bad_time));
    }
  }
}

TEST_SUITE("core.Clock") {
  TEST_CASE("a manual clock stands still and moves both times") {
    ManualClock clock(from_ms(1000));
    const auto steady = clock.steady();

    clock.advance(Milliseconds{5});

    CHECK(to_ms(clock.now()) == 1005);
    CHECK(clock.steady() - steady == Milliseconds{5});
  }

  TEST_CASE("setting the wall clock leaves the steady time alone") {
    ManualClock clock(from_ms(1000));
    const auto steady = clock.steady();

    clock.step_wall(Milliseconds{-500});

    CHECK(to_ms(clock.now()) == 500);
    CHECK(clock.steady() == steady);
  }

  TEST_CASE("the system's clock is of this century and does not go back") {
    const auto first = system_clock().steady();

    CHECK(system_clock().now() > parse_rfc3339("2020-01-01T00:00:00Z").value());
    CHECK(system_clock().steady() >= first);
  }
}

}  // namespace
}  // namespace ecp
