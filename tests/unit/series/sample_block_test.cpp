// SPDX-License-Identifier: Apache-2.0
#include <limits>

#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/random.hpp>
#include <ecp/series/sample.hpp>

#include <doctest/doctest.h>

#include "support/results.hpp"

using namespace ecp;
using series::Quality;
using series::Sample;

namespace {

/// Every type, quality and flag, and times that go back.
std::vector<Sample> every_form() {
  const auto at = [](std::int64_t ms) { return from_ms(1'700'000'000'000 + ms); };
  return {{"plc/fast/temperature", at(0), Quality::good, 812.5, "", false},
          {"plc/fast/counter", at(0), Quality::good, std::int64_t{-42}, "", false},
          {"plc/slow/on", at(1'000), Quality::good, true, "", true},
          {"plc/slow/off", at(999), Quality::uncertain_time, false, "", false},
          {"plc/slow/name", at(1'500), Quality::good, std::string("Ofen \xc3\xa4"), "", false},
          {"plc/fast/temperature", at(2'000), Quality::bad, 0.0, "pipeline.device_timeout", false},
          {"plc/fast/counter", at(2'000), Quality::good, std::numeric_limits<std::int64_t>::min(),
           "", false},
          {"plc/fast/temperature", at(3'000), Quality::bad, 0.0, "", true}};
}

}  // namespace

TEST_SUITE("series.sample_block") {
  TEST_CASE("a block gives back exactly the samples it was made of") {
    const auto samples = every_form();
    CHECK(ecp_test::must(series::decode_samples(series::encode_samples(samples))) == samples);
    CHECK(ecp_test::must(series::decode_samples(series::encode_samples({}))).empty());
  }

  TEST_CASE("a block is written as its golden file says, so that older peers can read it") {
    const std::string path = ECP_GOLDEN_FOLDER "/sample_block_1.hex";
    const auto golden = ecp_test::must(read_file(path, 64 * kibibyte));
    CHECK(to_hex(series::encode_samples(every_form())) + "\n" == golden);
  }

  TEST_CASE("a thousand numeric samples of a few tags take less than a fifth of their JSON") {
    std::vector<Sample> samples;
    std::size_t json = 0;
    for (int i = 0; i < 1'000; ++i) {
      Sample sample{"plc/group/tag" + std::to_string(i % 6),
                    from_ms(1'700'000'000'000 + i * 200),
                    Quality::good,
                    std::int64_t{i},
                    "",
                    false};
      json::Writer writer;
      series::write_json(writer, sample);
      json += writer.take().size();
      samples.push_back(std::move(sample));
    }
    CHECK(series::encode_samples(samples).size() * 5 < json);
  }

  TEST_CASE("[R24] a damaged block is refused and never crashes") {
    const auto block = series::encode_samples(every_form());
    for (std::size_t size = 0; size < block.size(); ++size) {
      CHECK_FALSE(series::decode_samples(block.substr(0, size)));
    }
    CHECK_FALSE(series::decode_samples(block + "x"));
    SeededRandom random(3);
    for (int round = 0; round < 20'000; ++round) {
      auto damaged = block;
      for (int i = 0; i < 3; ++i) {
        damaged[random.below(damaged.size())] = static_cast<char>(random.below(256));
      }
      (void)series::decode_samples(damaged).has_value();
    }
  }

  TEST_CASE("[R23] a block that claims more samples than a batch may have is refused") {
    std::vector<Sample> samples(limits::batch_samples + 1,
                                Sample{"a/b/c", from_ms(1), Quality::good, true, "", false});
    CHECK_FALSE(series::decode_samples(series::encode_samples(samples)));
    samples.pop_back();
    CHECK(series::decode_samples(series::encode_samples(samples)));
  }

  TEST_CASE("a block of an unknown version is refused, naming the version") {
    auto block = series::encode_samples(every_form());
    block[0] = 2;
    CHECK(ecp_test::failure(series::decode_samples(block)) == "series.bad_block");
  }
}
