// SPDX-License-Identifier: Apache-2.0
#include <set>

#include <ecp/core/random.hpp>

#include <doctest/doctest.h>

#include "series/number_ranges.hpp"

using ecp::series::NumberRange;
using ecp::series::NumberRanges;

TEST_SUITE("series.NumberRanges") {
  TEST_CASE("ranges that touch become one") {
    NumberRanges ranges;
    ranges.add({1, 3});
    ranges.add({7, 9});
    CHECK(ranges.upto() == 3);
    CHECK(ranges.beyond() == std::vector<NumberRange>{{7, 9}});
    ranges.add({4, 6});
    CHECK(ranges.all() == std::vector<NumberRange>{{1, 9}});
    CHECK(ranges.upto() == 9);
    CHECK(ranges.beyond().empty());
  }

  TEST_CASE("what is missing is exactly what was never added") {
    NumberRanges ranges;
    ranges.add({3, 4});
    ranges.add({8, 8});
    CHECK(ranges.missing({1, 10}) == std::vector<NumberRange>{{1, 2}, {5, 7}, {9, 10}});
    CHECK(ranges.missing({3, 4}).empty());
    CHECK(ranges.missing({5, 4}).empty());
    CHECK(ranges.upto() == 0);
  }

  TEST_CASE("any order of adding gives the same as a set of numbers") {
    ecp::SeededRandom random(7);
    for (int round = 0; round < 50; ++round) {
      NumberRanges ranges;
      std::set<std::int64_t> numbers;
      for (int i = 0; i < 20; ++i) {
        const auto first = static_cast<std::int64_t>(random.below(60)) + 1;
        const auto last = first + static_cast<std::int64_t>(random.below(6));
        ranges.add({first, last});
        for (auto number = first; number <= last; ++number) numbers.insert(number);
      }
      std::set<std::int64_t> found;
      for (const auto& range : ranges.all()) {
        for (auto number = range.first; number <= range.second; ++number) found.insert(number);
      }
      CHECK(found == numbers);
      std::int64_t upto = 0;
      while (numbers.count(upto + 1) > 0) ++upto;
      CHECK(ranges.upto() == upto);
    }
  }
}
