// SPDX-License-Identifier: Apache-2.0
#include <string>
#include <vector>

#include <doctest/doctest.h>

#include <ecp/core/bytes.hpp>
#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace kind = ecp::kind;
namespace modbus = ecp::pipeline::modbus;
namespace reasons = ecp::pipeline::reasons;
using kind::TagType;

namespace {

kind::TagConfig tag(const std::string& address, TagType type = TagType::uint16) {
  kind::TagConfig config;
  config.name = address;
  const auto parsed = kind::parse_modbus_address(address);
  REQUIRE(parsed);
  config.address = *parsed;
  config.type = type;
  return config;
}

ecp::Bytes octets(const char* hex) { return *ecp::from_hex(hex); }

}  // namespace

TEST_SUITE("pipeline.modbus.plan_reads") {
  TEST_CASE("neighbours are read together, also over a small gap") {
    const std::vector tags{tag("1!400001"), tag("1!400002", TagType::float32), tag("1!400010")};

    const auto close = modbus::plan_reads(tags, 125, 10);
    const auto strict = modbus::plan_reads(tags, 125, 0);

    REQUIRE(close.size() == 1);
    CHECK(close[0].offset == 0);
    CHECK(close[0].count == 10);
    CHECK(close[0].tags == std::vector<std::uint32_t>{0, 1, 2});
    REQUIRE(strict.size() == 2);
    CHECK(strict[0].count == 3);
    CHECK(strict[1].offset == 9);
  }

  TEST_CASE("no read has more than 125 registers or 2000 bits, and none cuts a tag in two") {
    std::vector<kind::TagConfig> registers;
    for (int i = 0; i < 100; ++i) {
      registers.push_back(tag("1!4" + std::to_string(100'001 + i * 2).substr(1), TagType::float32));
    }
    std::vector<kind::TagConfig> coils;
    for (int i = 0; i < 2500; ++i) {
      coils.push_back(tag("1!0" + std::to_string(100'001 + i).substr(1), TagType::boolean));
    }

    const auto words = modbus::plan_reads(registers, 125, 10);
    const auto bits = modbus::plan_reads(coils, 125, 10);

    REQUIRE(words.size() == 2);
    CHECK(words[0].count == 124);
    CHECK(words[1].count == 76);
    REQUIRE(bits.size() == 2);
    CHECK(bits[0].count == 2000);
    CHECK(bits[1].count == 500);
  }

  TEST_CASE("units and areas are never mixed") {
    const std::vector tags{tag("1!400001"), tag("2!400001"), tag("1!300001"),
                           tag("1!000001", TagType::boolean), tag("1!100001", TagType::boolean)};

    CHECK(modbus::plan_reads(tags, 125, 124).size() == 5);
  }

  TEST_CASE("tags at the same place share one read, in any order given") {
    const std::vector tags{tag("1!400005"), tag("1!400001.3", TagType::boolean),
                           tag("1!400001.4", TagType::boolean), tag("1!400001")};

    const auto plan = modbus::plan_reads(tags, 125, 10);

    REQUIRE(plan.size() == 1);
    CHECK(plan[0].offset == 0);
    CHECK(plan[0].count == 5);
    CHECK(plan[0].tags.size() == 4);
  }
}

TEST_SUITE("pipeline.modbus.codec") {
  TEST_CASE("frames are taken off a stream whole, however it is cut") {
    const auto whole = modbus::encode({7, 3, octets("0300000002")});
    CHECK(ecp::to_hex(whole) == "000700000006030300000002");
    ecp::Bytes stream;

    for (std::size_t i = 0; i + 1 < whole.size(); ++i) {
      stream.push_back(whole[i]);
      const auto frame = modbus::take_frame(stream);
      REQUIRE(frame);
      CHECK_FALSE(*frame);
    }
    stream += whole.back();
    stream += whole;
    const auto first = modbus::take_frame(stream);
    const auto second = modbus::take_frame(stream);

    REQUIRE(first);
    REQUIRE(*first);
    CHECK((*first)->transaction == 7);
    CHECK((*first)->unit == 3);
    CHECK((*first)->pdu == octets("0300000002"));
    REQUIRE(second);
    CHECK(*second);
    CHECK(stream.empty());
  }

  TEST_CASE("octets that are no Modbus TCP are an error, not a wait without end [R24]") {
    for (const auto* hex :
         {"00070001000603", "00070000000003", "00070000ffff03", "474554202f2048"}) {
      CAPTURE(hex);
      auto stream = octets(hex);
      CHECK_FALSE(modbus::take_frame(stream));
    }
  }

  TEST_CASE("an answer must fit the request") {
    const modbus::Read read{1, kind::ModbusArea::holding_register, 0, 2, {0}};

    CHECK(modbus::read_answer(read, octets("030400010002")));
    for (const auto* hex :
         {"", "03", "0304", "03040001", "0306000100020003", "040400010002", "030400010002ff"}) {
      CAPTURE(hex);
      CHECK_FALSE(modbus::read_answer(read, octets(hex)));
    }
  }

  TEST_CASE("an exception is told with its code and meaning") {
    const modbus::Read read{1, kind::ModbusArea::holding_register, 0, 2, {0}};

    const auto answer = modbus::read_answer(read, octets("8302"));

    REQUIRE_FALSE(answer);
    CHECK(answer.error().is(reasons::device_exception));
    CHECK(answer.error().message().find("2: illegal data address") != std::string::npos);
  }

  TEST_CASE("a coil is written with function 5, one register with 6, several with 16") {
    const auto coil = modbus::write_request(tag("1!000011", TagType::boolean), octets("01"));
    const auto off = modbus::write_request(tag("1!000011", TagType::boolean), octets("00"));
    const auto one = modbus::write_request(tag("1!400003"), octets("1234"));
    const auto two = modbus::write_request(tag("1!400003", TagType::float32), octets("12345678"));

    CHECK(ecp::to_hex(coil) == "05000aff00");
    CHECK(ecp::to_hex(off) == "05000a0000");
    CHECK(ecp::to_hex(one) == "0600021234");
    CHECK(ecp::to_hex(two) == "10000200020412345678");
    CHECK(modbus::write_answer(two, octets("1000020002")));
    CHECK_FALSE(modbus::write_answer(two, octets("1000020001")));
    CHECK_FALSE(modbus::write_answer(two, octets("9004")));
  }

  TEST_CASE("each tag finds its own octets in a shared answer") {
    const std::vector tags{tag("1!400001"), tag("1!400002", TagType::uint32)};
    const std::vector coils{tag("1!000001", TagType::boolean), tag("1!000010", TagType::boolean)};
    const auto words = modbus::plan_reads(tags, 125, 10).at(0);
    const auto bits = modbus::plan_reads(coils, 125, 10).at(0);

    CHECK(modbus::raw_of(tags[0], words, octets("0001aabbccdd")) == octets("0001"));
    CHECK(modbus::raw_of(tags[1], words, octets("0001aabbccdd")) == octets("aabbccdd"));
    CHECK(modbus::raw_of(coils[0], bits, octets("0002")) == octets("00"));
    CHECK(modbus::raw_of(coils[1], bits, octets("0002")) == octets("01"));
  }
}
