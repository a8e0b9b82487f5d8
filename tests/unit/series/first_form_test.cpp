// SPDX-License-Identifier: Apache-2.0
#include <cmath>
#include <filesystem>
#include <limits>
#include <string>
#include <vector>

#include <ecp/series/series_store.hpp>

#include <doctest/doctest.h>

#include "series_line.hpp"

using namespace ecp;
using namespace ecp_test;  // NOLINT: a test reads better without prefixes.
using series::NumberedBatch;
using series::Quality;
using series::Sample;
using series::Value;

namespace {

/// The samples of the golden file, which the first release's store wrote.
std::vector<Sample> first_form_samples(Time start) {
  std::vector<Sample> samples;
  for (int i = 0; i < 650; ++i) {
    const bool is_bad = i % 100 == 99;
    samples.push_back({"plc/fast/temperature", start + i * second,
                       is_bad ? Quality::bad : Quality::good,
                       is_bad ? 0.0 : 812.0 + (i * 7 % 20) / 10.0,
                       is_bad ? "pipeline.device_timeout" : "", i < 50});
  }
  return samples;
}

void check_first_form(Line& line, Time start) {
  const auto end = start + day;
  CHECK(must(line.store->count(line.key)) == 660);
  CHECK(must(line.store->samples(line.key, "plc/fast/temperature", start, end, 1'000)) ==
        first_form_samples(start));
  const auto others = must(line.store->samples(line.key, "plc/slow/any", start, end, 1'000));
  REQUIRE(others.size() == 10);
  CHECK(others[0].value == Value(true));
  CHECK(others[1].value == Value(1.5));
  CHECK(others[1].late);
  CHECK(others[2].value == Value(false));
  CHECK(others[2].quality == Quality::uncertain_time);
  CHECK(others[3].value == Value(std::int64_t{-42}));
  CHECK(others[4].value == Value(std::numeric_limits<std::int64_t>::min()));
  CHECK(std::signbit(std::get<double>(others[5].value)));
  CHECK(std::isnan(std::get<double>(others[6].value)));
  CHECK(others[7].value == Value(std::numeric_limits<double>::infinity()));
  CHECK(others[8].value == Value(std::string("a\0b", 3)));
  CHECK(others[9].value == Value(std::string()));
  const auto gaps = must(line.store->gaps(line.key, start, end));
  REQUIRE(gaps.size() == 2);
  CHECK(gaps[0].why == "buffer_full");
  CHECK(gaps[0].samples == 10);
  CHECK(gaps[1].why == "no_data");
}

}  // namespace

TEST_SUITE("series.first_form") {
  TEST_CASE("a file of the first form is read at once, sealed later, and then small") {
    Line line;
    const auto start = line.env.clock.now();
    const auto path = line.file_of(start);
    std::filesystem::copy_file(ECP_GOLDEN_FOLDER "/day_file_1.db", path);
    const auto size = std::filesystem::file_size(path);
    line.reopen();
    check_first_form(line, start);
    line.pass_days();
    check_first_form(line, start);
    line.store.reset();
    CHECK(rows_of(path, "samples") == 0);
    CHECK(std::filesystem::file_size(path) < size);
    line.reopen();
    check_first_form(line, start);
  }

  TEST_CASE("what a file of the first form has acknowledged stays known") {
    Line line;
    const auto start = line.env.clock.now();
    const auto path = line.file_of(start);
    std::filesystem::copy_file(ECP_GOLDEN_FOLDER "/day_file_1.db", path);
    line.reopen();
    line.pass_days();
    NumberedBatch again;
    again.agent = IdBytes{1};
    again.buffer_id = "buffer-1";
    again.first = 1;
    again.samples = first_form_samples(start);
    CHECK(must(line.store->append({{line.key, again}})).front().upto == 659);
    check_first_form(line, start);
  }
}
