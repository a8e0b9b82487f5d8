// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstdint>
#include <limits>
#include <vector>

#include <ecp/core/random.hpp>

#include <doctest/doctest.h>

#include "series/bits.hpp"
#include "series/columns.hpp"

using namespace ecp;
using series::OctetReader;
using series::OctetWriter;

namespace {

using Wholes = std::vector<std::int64_t>;
using Reals = std::vector<double>;

Bytes coded(const Wholes& values) {
  OctetWriter out;
  series::write_whole_column(out, values);
  return out.take();
}
Bytes coded(const Reals& values) {
  OctetWriter out;
  series::write_real_column(out, values);
  return out.take();
}

/// What comes back, with nothing left over.
bool comes_back(const Wholes& values) {
  const auto octets = coded(values);
  OctetReader in(octets);
  const auto found = series::read_whole_column(in, values.size());
  return found && *found == values && in.is_done();
}
bool comes_back(const Reals& values) {
  const auto octets = coded(values);
  OctetReader in(octets);
  const auto found = series::read_real_column(in, values.size());
  if (!found || found->size() != values.size() || !in.is_done()) return false;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (std::bit_cast<std::uint64_t>((*found)[i]) != std::bit_cast<std::uint64_t>(values[i])) {
      return false;
    }
  }
  return true;
}

std::int64_t any_whole(SeededRandom& random) {
  return static_cast<std::int64_t>(random.below(~std::uint64_t{0}) >> random.below(64)) *
         (random.below(2) == 0 ? 1 : -1);
}

}  // namespace

TEST_SUITE("series.columns") {
  TEST_CASE("bits come back as they were written, and beyond the end there are zeros") {
    SeededRandom random(1);
    std::vector<std::pair<std::uint64_t, unsigned>> written;
    series::BitWriter out;
    for (int i = 0; i < 2'000; ++i) {
      const auto width = static_cast<unsigned>(random.below(65));
      const auto mask = width == 0 ? 0 : ~std::uint64_t{0} >> (64 - width);
      written.emplace_back(random.below(~std::uint64_t{0}) & mask, width);
      out.bits(written.back().first, width);
    }
    series::BitReader in(out.octets());
    for (const auto& [value, width] : written) CHECK(in.bits(width) == value);
    CHECK(in.is_good());
    CHECK(in.bits(64) == 0);
    CHECK_FALSE(in.is_good());
  }

  TEST_CASE("whole numbers of any kind come back") {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
    for (const auto& values :
         {Wholes{}, Wholes{0}, Wholes{least}, Wholes{greatest, least}, Wholes{least, greatest, 0},
          Wholes{5, 5, 5, 5}, Wholes{1, 2, 3, 4, 5, 6}, Wholes{1, 4, 9, 16, 25, 36, 1'000'000},
          Wholes{greatest, greatest, least, -1, 0, 1}}) {
      CHECK(comes_back(values));
    }
    SeededRandom random(2);
    for (int round = 0; round < 300; ++round) {
      Wholes values;
      const auto step = any_whole(random);
      std::uint64_t sum = 0;
      for (std::uint64_t i = random.below(200); i > 0; --i) {
        sum += static_cast<std::uint64_t>(step) + random.below(5);
        values.push_back(round % 2 == 0 ? any_whole(random) : static_cast<std::int64_t>(sum));
      }
      CHECK(comes_back(values));
    }
  }

  TEST_CASE("real numbers of any kind come back to the bit") {
    using Limits = std::numeric_limits<double>;
    for (const auto& values :
         {Reals{}, Reals{0.0}, Reals{-0.0}, Reals{0.0, -0.0, 0.0}, Reals{0.1, 0.25, -3.75, 812.5},
          Reals{Limits::infinity(), -Limits::infinity(), Limits::quiet_NaN()},
          Reals{Limits::max(), Limits::lowest(), Limits::min(), Limits::denorm_min()},
          Reals{9007199254740993.0, 0.5}, Reals{1e15, 0.001}, Reals{2.0, 2.0, 2.0}}) {
      CHECK(comes_back(values));
    }
    SeededRandom random(3);
    for (int round = 0; round < 300; ++round) {
      Reals values;
      for (std::uint64_t i = random.below(200); i > 0; --i) {
        const auto any = any_whole(random);
        values.push_back(round % 3 == 0   ? std::bit_cast<double>(any)
                         : round % 3 == 1 ? static_cast<double>(any % 10'000) / 100
                                          : static_cast<double>(static_cast<float>(any % 77) / 7));
      }
      CHECK(comes_back(values));
    }
  }

  TEST_CASE("what is regular takes next to nothing") {
    Wholes clock;
    Wholes square;
    for (std::int64_t i = 0; i < 600; ++i) {
      clock.push_back(1'700'000'000'000 + 1'000 * i);
      square.push_back(i * i);
    }
    CHECK(coded(clock).size() < 16);
    CHECK(coded(square).size() < 16);
    CHECK(coded(Reals(600, 21.7)).size() < 16);
  }

  TEST_CASE("decimals cost what their last digit varies, not their octets") {
    SeededRandom random(4);
    Reals values;
    for (int i = 0; i < 600; ++i)
      values.push_back(812.0 + static_cast<double>(random.below(8)) / 10);
    CHECK(coded(values).size() < 600 / 2);
  }

  TEST_CASE("what repeats costs a bit, and what has no pattern not more than its octets") {
    SeededRandom random(5);
    Reals held;
    Reals wild;
    for (int i = 0; i < 600; ++i) {
      wild.push_back(std::bit_cast<double>(any_whole(random)));
      held.push_back(i % 60 == 0 ? wild.back() : held.back());
    }
    CHECK(coded(held).size() < 600 / 8 + 10 * 20 + 30);
    CHECK(coded(wild).size() <= 600 * 8 + 1);
  }

  TEST_CASE("[R24] octets that are no column are refused and never crash") {
    SeededRandom random(6);
    for (int round = 0; round < 10'000; ++round) {
      const auto octets = random.bytes(random.below(60));
      const auto count = static_cast<std::size_t>(random.below(100));
      OctetReader wholes(octets);
      const auto found = series::read_whole_column(wholes, count);
      CHECK((!found || found->size() == count));
      OctetReader reals(octets);
      const auto real = series::read_real_column(reals, count);
      CHECK((!real || real->size() == count));
    }
  }
}
