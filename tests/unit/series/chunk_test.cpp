// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/random.hpp>

#include <doctest/doctest.h>

#include "series/chunk.hpp"
#include "support/results.hpp"

using namespace ecp;
using ecp_test::must;
using series::NumberAt;
using series::Quality;
using series::Sample;
using series::Value;

namespace {

constexpr auto tag = "plc/fast/temperature";

Time at(std::int64_t ms) { return from_ms(1'700'000'000'000 + ms); }

Sample sample(std::int64_t ms, Value value) {
  return {tag, at(ms), Quality::good, std::move(value), "", false};
}
Sample bad(std::int64_t ms, std::string error) {
  return {tag, at(ms), Quality::bad, 0.0, std::move(error), false};
}

/// Every type, quality and flag; times that repeat and go back.
std::vector<Sample> every_form() {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  std::vector<Sample> samples{sample(0, 812.5), sample(1'000, std::int64_t{-42}),
                              sample(1'000, true), sample(999, false)};
  samples.push_back(sample(1'500, std::string("Ofen \xc3\xa4")));
  samples.push_back(bad(2'000, "pipeline.device_timeout"));
  samples.push_back(bad(2'001, ""));
  samples.push_back(sample(3'000, std::numeric_limits<std::int64_t>::min()));
  samples.push_back(sample(3'000, std::numeric_limits<std::int64_t>::max()));
  samples.push_back(sample(4'000, -0.0));
  samples.push_back(sample(5'000, infinity));
  samples.push_back(sample(6'000, -infinity));
  samples.back().quality = Quality::uncertain_time;
  samples.push_back(sample(-7'000, std::string()));
  samples.back().late = true;
  return samples;
}

/// As much of one tag as its machine may send: values of one kind, some bad or late.
std::vector<Sample> random_samples(SeededRandom& random) {
  std::vector<Sample> samples;
  const auto kind = random.below(5);
  std::int64_t time = 0;
  for (auto count = random.below(700) + 1; count > 0; --count) {
    time += static_cast<std::int64_t>(random.below(2'000)) - 200;
    const auto number = static_cast<std::int64_t>(random.below(1'000));
    Value value = number % 2 == 0;
    if (kind == 1) value = number;
    if (kind == 2) value = static_cast<double>(number) / 10;
    if (kind == 3) value = std::sqrt(static_cast<double>(number));
    if (kind == 4) value = "state " + std::to_string(number % 7);
    samples.push_back(sample(time, std::move(value)));
    if (random.below(50) == 0) samples.back() = bad(time, "pipeline.timeout");
    samples.back().late = count < 100;
  }
  return samples;
}

}  // namespace

TEST_SUITE("series.chunk") {
  TEST_CASE("a chunk gives back exactly the samples it was made of, in their order") {
    CHECK(must(series::decode_chunk(must(series::encode_chunk(every_form())), tag)) ==
          every_form());
    SeededRandom random(1);
    for (int round = 0; round < 200; ++round) {
      const auto samples = random_samples(random);
      CHECK(must(series::decode_chunk(must(series::encode_chunk(samples)), tag)) == samples);
    }
  }

  TEST_CASE("what is not a number comes back as such and counts for nothing") {
    const auto chunk = must(series::encode_chunk(
        {sample(0, 1.0), sample(1, std::numeric_limits<double>::signaling_NaN())}));
    const auto samples = must(series::decode_chunk(chunk, tag));
    CHECK(std::isnan(std::get<double>(samples[1].value)));
    CHECK(must(series::read_summary(chunk)).numbers == 1);
  }

  TEST_CASE("the extremes of time are times like others") {
    constexpr auto least = std::numeric_limits<std::int64_t>::min();
    constexpr auto greatest = std::numeric_limits<std::int64_t>::max();
    std::vector<Sample> samples{sample(0, 1.0), sample(0, 2.0), sample(0, 3.0)};
    samples[0].time = from_ms(greatest);
    samples[1].time = from_ms(least);
    const auto chunk = must(series::encode_chunk(samples));
    CHECK(must(series::decode_chunk(chunk, tag)) == samples);
    const auto summary = must(series::read_summary(chunk));
    CHECK(summary.from == from_ms(least));
    CHECK(summary.to == from_ms(greatest));
    CHECK(summary.last == 1.0);
  }

  TEST_CASE("the front tells what a chart needs of the good numbers") {
    std::vector<Sample> samples{bad(0, "pipeline.timeout"), sample(2'000, 5.0),
                                sample(1'000, std::int64_t{7}), sample(3'000, true),
                                bad(4'000, "")};
    for (auto& one : samples) one.late = one.time < at(1'500);
    const auto chunk = must(series::encode_chunk(samples));
    const auto summary = must(series::read_summary(chunk));
    CHECK(summary.samples == 5);
    CHECK(summary.from == at(0));
    CHECK(summary.to == at(4'000));
    CHECK(summary.numbers == 3);
    CHECK(summary.late == 1);
    CHECK(summary.min == 1.0);
    CHECK(summary.max == 7.0);
    CHECK(summary.sum == 13.0);
    CHECK(summary.first == 7.0);
    CHECK(summary.first_time == at(1'000));
    CHECK(summary.last == 1.0);
    CHECK(summary.last_time == at(3'000));
  }

  TEST_CASE("numbers and times can be had without the samples") {
    const auto chunk = must(series::encode_chunk(every_form()));
    const auto numbers = must(series::decode_numbers(chunk));
    const auto times = must(series::decode_times(chunk));
    std::vector<NumberAt> expected;
    for (const auto& one : every_form()) {
      if (const auto number = series::number_of(one))
        expected.push_back({one.time, *number, one.late});
    }
    CHECK(numbers == expected);
    REQUIRE(times.size() == every_form().size());
    CHECK(times.back() == at(-7'000));
    const auto words = must(series::encode_chunk({sample(0, std::string("on"))}));
    CHECK(must(series::decode_numbers(words)).empty());
    CHECK(must(series::read_summary(words)).numbers == 0);
  }

  TEST_CASE("a chunk is written as its golden files say, so that stored ones stay readable") {
    SeededRandom random(7);
    const std::vector<std::pair<std::string, std::vector<Sample>>> cases{
        {"chunk_1_every_form.hex", every_form()}, {"chunk_1_random.hex", random_samples(random)}};
    for (const auto& [name, samples] : cases) {
      CAPTURE(name);
      const auto golden = must(read_file(ECP_GOLDEN_FOLDER "/" + name, 64 * kibibyte));
      CHECK(to_hex(must(series::encode_chunk(samples))) + "\n" == golden);
    }
  }

  TEST_CASE("[R24] a damaged chunk is refused or read within its bounds, and never crashes") {
    const auto chunk = must(series::encode_chunk(every_form()));
    for (std::size_t size = 0; size < chunk.size(); ++size) {
      CHECK_FALSE(series::decode_chunk(chunk.substr(0, size), tag));
    }
    CHECK_FALSE(series::decode_chunk(chunk + "x", tag));
    SeededRandom random(3);
    for (int round = 0; round < 10'000; ++round) {
      auto damaged = round % 2 == 0 ? chunk : must(series::encode_chunk(random_samples(random)));
      for (int i = 0; i < 3; ++i) {
        damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
      }
      const auto samples = series::decode_chunk(damaged, tag);
      const auto numbers = series::decode_numbers(damaged);
      CHECK(samples.has_value() == numbers.has_value());
      if (!samples) continue;
      CHECK(samples->size() <= series::max_chunk_samples);
      const auto summary = must(series::read_summary(damaged));
      for (const auto& one : *samples) {
        CHECK((one.time >= summary.from && one.time <= summary.to));
      }
    }
  }

  TEST_CASE("[R23] none, too many and too long are refused when written and when read") {
    CHECK_FALSE(series::encode_chunk({}));
    CHECK(series::encode_chunk(std::vector(series::max_chunk_samples, sample(0, true))));
    CHECK_FALSE(series::encode_chunk(std::vector(series::max_chunk_samples + 1, sample(0, true))));
    CHECK(series::encode_chunk({sample(0, std::string(limits::sample_string, 'x'))}));
    CHECK_FALSE(series::encode_chunk({sample(0, std::string(limits::sample_string + 1, 'x'))}));
    CHECK_FALSE(series::encode_chunk({bad(0, std::string(513, 'x'))}));
    auto chunk = must(series::encode_chunk({sample(0, true)}));
    chunk[1] = 0;  // The number of samples.
    CHECK_FALSE(series::read_summary(chunk));
  }

  TEST_CASE("a chunk of an unknown version is refused") {
    auto chunk = must(series::encode_chunk(every_form()));
    chunk[0] = 2;
    CHECK(ecp_test::failure(series::read_summary(chunk)) == "series.bad_block");
    CHECK(ecp_test::failure(series::decode_chunk(chunk, tag)) == "series.bad_block");
  }

  TEST_CASE("random numbers at a regular time take hardly more than their octets") {
    SeededRandom random(9);
    std::vector<Sample> samples;
    for (int i = 0; i < 600; ++i) {
      const auto bits = random.below(~std::uint64_t{0}) & ~(std::uint64_t{1} << 62U);
      samples.push_back(sample(1'000 * i, std::bit_cast<double>(bits)));
    }
    CHECK(must(series::encode_chunk(samples)).size() < 600 * 8 + 100);
  }
}
