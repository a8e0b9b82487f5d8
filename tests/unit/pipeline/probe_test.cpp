// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <bit>
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ecp/pipeline/probe.hpp>

namespace kind = ecp::kind;
namespace pipeline = ecp::pipeline;
using kind::ByteOrder;
using kind::TagType;
using pipeline::ProbedRange;

namespace {

using Words = std::vector<std::uint16_t>;

ProbedRange range_of(const Words& words) {
  ProbedRange range;
  for (const auto word : words) range.cells.push_back({word, ""});
  return range;
}

Words operator+(Words left, const Words& right) {
  left.insert(left.end(), right.begin(), right.end());
  return left;
}

Words words_of(std::uint64_t bits, std::size_t count) {
  Words words;
  for (std::size_t i = count; i-- > 0;)
    words.push_back(static_cast<std::uint16_t>(bits >> (16 * i)));
  return words;
}
Words of(float value) { return words_of(std::bit_cast<std::uint32_t>(value), 2); }
Words of(double value) { return words_of(std::bit_cast<std::uint64_t>(value), 4); }
Words of(std::int32_t value) { return words_of(std::bit_cast<std::uint32_t>(value), 2); }
Words of(std::int64_t value) { return words_of(std::bit_cast<std::uint64_t>(value), 4); }

Words octets_swapped(Words words) {
  for (auto& word : words) word = static_cast<std::uint16_t>(word << 8 | word >> 8);
  return words;
}
Words words_swapped(Words words) {
  std::reverse(words.begin(), words.end());
  return words;
}

std::string text_as(const ProbedRange& range, std::size_t cell, TagType type, ByteOrder order) {
  const auto value = pipeline::read_as(range, cell, type, order);
  return value ? value->text + (value->is_plausible ? " *" : "") : "";
}

/// "1!400001 float32 abcd = 21.5", each tag in a line.
std::string likely(const ProbedRange& range) {
  static const char* const orders[] = {"abcd", "cdab", "badc", "dcba"};
  std::string lines;
  for (const auto& each : pipeline::likely_tags(range)) {
    std::string line = each.tag.address_text + " " + std::string(to_string(each.tag.type));
    const bool is_long = kind::register_count(each.tag.type, 0) > 1;
    if (is_long) line += std::string(" ") + orders[static_cast<std::size_t>(each.tag.byte_order)];
    lines += line + " = " + each.text + "\n";
  }
  return lines;
}

std::string problem_of(const ecp::Result<void>& read) { return read ? "" : read.error().message(); }

}  // namespace

TEST_SUITE("pipeline.probe") {
  TEST_CASE("a number is found in whichever byte order it was written") {
    const struct {
      ByteOrder order;
      Words words;
    } rows[] = {{ByteOrder::abcd, of(21.5F)},
                {ByteOrder::cdab, words_swapped(of(21.5F))},
                {ByteOrder::badc, octets_swapped(of(21.5F))},
                {ByteOrder::dcba, octets_swapped(words_swapped(of(21.5F)))}};
    for (const auto& row : rows) {
      CHECK(text_as(range_of(row.words), 0, TagType::float32, row.order) == "21.5 *");
    }
    CHECK(text_as(range_of(of(-70'000)), 0, TagType::int32, ByteOrder::abcd) == "-70000 *");
    CHECK(text_as(range_of(words_swapped(of(1234.5))), 0, TagType::float64, ByteOrder::cdab) ==
          "1234.5 *");
    CHECK(text_as(range_of(octets_swapped(of(std::int64_t{-5'000'000'001}))), 0, TagType::int64,
                  ByteOrder::badc) == "-5000000001 *");
  }

  TEST_CASE("a number that begins one register later shows there") {
    const auto range = range_of(Words{7} + of(21.5F));

    CHECK(text_as(range, 1, TagType::float32, ByteOrder::abcd) == "21.5 *");
    CHECK(text_as(range, 2, TagType::float32, ByteOrder::abcd) == "");
  }

  TEST_CASE("what is plausible follows the rule that is stated") {
    const auto real = [](float value) {
      return text_as(range_of(of(value)), 0, TagType::float32, ByteOrder::abcd).find('*') !=
             std::string::npos;
    };
    const auto whole = [](std::int32_t value) {
      return text_as(range_of(of(value)), 0, TagType::int32, ByteOrder::abcd).find('*') !=
             std::string::npos;
    };
    const auto word = [](std::uint16_t value) {
      return text_as(range_of({value}), 0, TagType::uint16, ByteOrder::abcd).find('*') !=
             std::string::npos;
    };

    CHECK(real(0.0011F));
    CHECK(real(-1e7F));
    CHECK_FALSE(real(0.0F));
    CHECK_FALSE(real(0.0009F));
    CHECK_FALSE(real(1.1e7F));
    CHECK(whole(9'999'999));
    CHECK(whole(-1));
    CHECK_FALSE(whole(10'000'001));
    CHECK_FALSE(whole(0x50000));  // 5 with its words swapped.
    CHECK(word(9'999));
    CHECK_FALSE(word(10'000));
    CHECK_FALSE(word(0));
    CHECK(pipeline::read_as(range_of({0x7fc0, 0}), 0, TagType::float32, ByteOrder::abcd) ==
          std::nullopt);
  }

  TEST_CASE("likely data tags fill a range of many types without overlap") {
    const auto range = range_of(of(21.56F) + of(123'456) + of(60.25F) + of(1234.5678) +
                                Words{42, 0} + of(std::int64_t{-5'000'000'001}));

    CHECK(likely(range) ==
          "1!400001 float32 abcd = 21.56\n"
          "1!400003 uint32 abcd = 123456\n"
          "1!400005 float32 abcd = 60.25\n"
          "1!400007 float64 abcd = 1234.5678\n"
          "1!400011 uint16 = 42\n"
          "1!400013 int64 abcd = -5000000001\n");
  }

  TEST_CASE("a device with swapped words is seen through, also behind a lone register") {
    const auto range = range_of(Words{3} + words_swapped(of(21.56F)) + words_swapped(of(-17.3F)) +
                                words_swapped(of(80'000)) + words_swapped(of(1.25F)));

    CHECK(likely(range) ==
          "1!400001 uint16 = 3\n"
          "1!400002 float32 cdab = 21.56\n"
          "1!400004 float32 cdab = -17.3\n"
          "1!400006 uint32 cdab = 80000\n"
          "1!400008 float32 cdab = 1.25\n");
  }

  TEST_CASE("text is told as text") {
    const auto range = range_of({0x6675, 0x726e, 0x6163, 0x6500, 5});

    CHECK(likely(range) ==
          "1!400001.4H text = \"furnace\"\n"
          "1!400005 uint16 = 5\n");
  }

  TEST_CASE("a hole parts what stands before it from what stands after") {
    auto range = range_of(of(21.5F) + Words{0} + of(60.25F));
    range.cells[2] = {std::nullopt, "exception 2"};

    CHECK(likely(range) ==
          "1!400001 float32 abcd = 21.5\n"
          "1!400004 float32 abcd = 60.25\n");
    CHECK(text_as(range, 1, TagType::float32, ByteOrder::abcd) == "");
  }

  TEST_CASE("the table names holes, values and units") {
    pipeline::ProbeFindings findings;
    findings.units = {1, 2, 3, 9};
    findings.ranges.push_back(range_of(of(21.5F) + Words{0, 0, 0}));
    for (const std::size_t hole : {2U, 3U}) {
      findings.ranges[0].cells[hole] = {std::nullopt, "exception 2: illegal data address"};
    }

    const auto table = pipeline::probe_table(findings);

    const auto has = [&](const char* text) { return table.find(text) != std::string::npos; };
    CHECK(has("Units that answer: 1 to 3, 9"));
    CHECK(has("400001   0x41AC"));
    CHECK(has("400003   to 400004: exception 2: illegal data address"));
    CHECK(has("21.5 *"));
    CHECK(has(std::string(pipeline::plausibility_rule()).c_str()));
  }

  TEST_CASE("what is proposed is a configuration that the pipeline takes") {
    pipeline::ProbeOptions options;
    REQUIRE(pipeline::read_probe_target("tcp://plc-7:5020", options));
    pipeline::ProbeFindings findings;
    findings.units = {1, 2};
    findings.ranges = {
        range_of(of(21.56F) + Words{42} + of(1234.5678) + Words{0x6675, 0x726e, 0x6163}),
        range_of(of(7.5F))};
    findings.ranges[1].unit = 2;

    const auto config =
        kind::parse_pipeline_config(kind::to_json(pipeline::probe_config(options, findings)));

    REQUIRE(config);
    CHECK(config->drivers[0].host == "plc-7");
    CHECK(config->drivers[0].port == 5020);
    const auto& tags = config->drivers[0].groups[0].tags;
    REQUIRE(tags.size() == 5);
    CHECK(tags[0].name == "u1_r400001");
    CHECK(tags[4].address.unit == 2);
    const auto yaml = pipeline::probe_yaml(options, findings);
    CHECK(
        yaml.find(R"({name: u2_r400001, address: "2!400001", type: float32, byte_order: abcd})") !=
        std::string::npos);
  }

  TEST_CASE("words of the command line are read, or told what is right") {
    pipeline::ProbeOptions options;
    CHECK(pipeline::read_probe_target("tcp://10.0.0.7", options));
    CHECK(options.port == 502);
    CHECK(pipeline::read_probe_target("tcp://[::1]:503", options));
    CHECK(options.host == "::1");
    CHECK(options.port == 503);
    CHECK(pipeline::read_probe_range("300011-300020", options));
    CHECK(options.area == kind::ModbusArea::input_register);
    CHECK(options.first == 10);
    CHECK(options.count == 10);
    CHECK(pipeline::read_probe_range("00001", options));
    CHECK(options.count == 1);
    CHECK(pipeline::read_probe_units("0-255", options));
    CHECK(pipeline::read_probe_time("--delay", "2s").value() == ecp::Milliseconds{2'000});

    for (const auto* target :
         {"", "10.0.0.7", "http://10.0.0.7", "tcp://", "tcp://a:0", "tcp://a:x"}) {
      CAPTURE(target);
      CHECK(problem_of(pipeline::read_probe_target(target, options)).find("tcp://host:port") !=
            std::string::npos);
    }
    for (const auto* range : {"", "400001-300001", "400020-400001", "500001", "400001.3", "1"}) {
      CAPTURE(range);
      CHECK(problem_of(pipeline::read_probe_range(range, options)).find("400001-400020") !=
            std::string::npos);
    }
    CHECK(problem_of(pipeline::read_probe_range("400001-402001", options)).find("2000") !=
          std::string::npos);
    for (const auto* units : {"", "256", "5-3", "1-", "a"}) {
      CAPTURE(units);
      CHECK_FALSE(pipeline::read_probe_units(units, options));
    }
    for (const auto* time : {"", "5", "ms", "61s", "-1s"}) {
      CAPTURE(time);
      CHECK_FALSE(pipeline::read_probe_time("--timeout", time));
    }
  }
}
