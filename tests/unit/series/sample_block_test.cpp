// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
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

/// Ten signals with two decimals, read once a second together.
std::vector<Sample> plant_hour(int seconds, SeededRandom& random) {
  std::vector<Sample> samples;
  for (int second = 0; second < seconds; ++second) {
    for (int tag = 0; tag < 10; ++tag) {
      const double slow = 100.0 * tag + 20.0 * std::sin((second + tag) / 300.0);
      const double noise = (static_cast<double>(random.below(5)) - 2) / 100;
      samples.push_back({"plc/fast/tag-" + std::to_string(tag),
                         from_ms(1'700'000'000'000 + second * 1'000LL), Quality::good,
                         std::round((slow + noise) * 100) / 100, "", false});
    }
  }
  return samples;
}

/// The golden file, as octets.
Bytes golden_block(const std::string& name) {
  const auto text = ecp_test::must(read_file(ECP_GOLDEN_FOLDER "/" + name, 64 * kibibyte));
  Bytes block;
  for (std::size_t i = 0; i + 1 < text.size(); i += 2) {
    block.push_back(static_cast<char>(std::stoi(text.substr(i, 2), nullptr, 16)));
  }
  return block;
}

}  // namespace

TEST_SUITE("series.sample_block") {
  TEST_CASE("a block gives back exactly the samples it was made of") {
    const auto samples = every_form();
    CHECK(ecp_test::must(series::decode_samples(series::encode_samples(samples))) == samples);
    CHECK(ecp_test::must(series::decode_samples(series::encode_samples({}))).empty());
  }

  TEST_CASE("a block is written as its golden file says, so that older peers can read it") {
    CHECK(to_hex(series::encode_samples(every_form())) ==
          to_hex(golden_block("sample_block_2.hex")));
  }

  TEST_CASE("a block of the first version, of an older agent, is read") {
    CHECK(ecp_test::must(series::decode_samples(golden_block("sample_block_1.hex"))) ==
          every_form());
  }

  TEST_CASE("every number comes back with all its bits") {
    SeededRandom random(5);
    std::vector<Sample> samples;
    const auto add = [&samples](series::Value value) {
      const auto at = from_ms(1'000 + static_cast<std::int64_t>(samples.size()));
      samples.push_back({samples.size() % 3 == 0 ? "a/b/c" : "a/b/d", at, Quality::good,
                         std::move(value), "", samples.size() % 7 == 0});
    };
    using Double = std::numeric_limits<double>;
    for (const double each :
         {0.0, -0.0, 0.1, -0.1, 1e300, -1e-300, 9007199254740992.0, 9007199254740991.5, 3.4e38,
          Double::max(), Double::denorm_min(), Double::infinity(), 0.001, 123.456, 5e-4}) {
      add(each);
    }
    for (const auto each : {std::numeric_limits<std::int64_t>::min(), std::int64_t{-1},
                            std::numeric_limits<std::int64_t>::max(), std::int64_t{0}}) {
      add(each);
    }
    for (int i = 0; i < 1'500; ++i) {
      std::uint64_t bits = 0;
      for (int part = 0; part < 4; ++part) bits = bits << 16U | random.below(65'536);
      const auto real = std::bit_cast<double>(bits);
      if (!std::isnan(real)) add(real);
      add(static_cast<double>(
          std::bit_cast<float>(static_cast<std::uint32_t>(bits & 0x7f7fffffU))));
      add(static_cast<double>(random.below(1'000'000)) / 1'000);
    }
    const auto back = ecp_test::must(series::decode_samples(series::encode_samples(samples)));
    REQUIRE(back == samples);
    CHECK(std::signbit(std::get<double>(back[1].value)));
  }

  TEST_CASE("a slow signal of a plant takes at most two octets a sample") {
    SeededRandom random(1);
    const auto samples = plant_hour(100, random);
    const auto block = series::encode_samples(samples);
    CHECK(block.size() <= 2 * samples.size());
    CHECK(ecp_test::must(series::decode_samples(block)) == samples);
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
    block[0] = 3;
    CHECK(ecp_test::failure(series::decode_samples(block)) == "series.bad_block");
  }
}
