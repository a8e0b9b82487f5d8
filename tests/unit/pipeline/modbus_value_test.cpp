// SPDX-License-Identifier: Apache-2.0
#include <limits>
#include <string>

#include <doctest/doctest.h>

#include <ecp/core/bytes.hpp>
#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace kind = ecp::kind;
namespace modbus = ecp::pipeline::modbus;
namespace reasons = ecp::pipeline::reasons;
using ecp::series::Value;
using kind::ByteOrder;
using kind::TagType;

namespace {

kind::TagConfig tag(TagType type, ByteOrder order = ByteOrder::abcd, double scale = 1.0) {
  kind::TagConfig config;
  config.type = type;
  config.byte_order = order;
  config.scale = scale;
  if (type == TagType::text) config.address.text_registers = 4;
  return config;
}

Value read(const kind::TagConfig& config, const char* hex) {
  auto value = modbus::decode(config, *ecp::from_hex(hex));
  REQUIRE(value);
  return *value;
}

std::string written(const kind::TagConfig& config, const Value& value) {
  const auto raw = modbus::encode_value(config, value);
  return raw ? ecp::to_hex(*raw) : std::string(raw.error().reason->symbol);
}

const std::string does_not_fit = "pipeline.write_does_not_fit";

}  // namespace

TEST_SUITE("pipeline.modbus.value") {
  TEST_CASE("every type is read in every byte order") {
    CHECK(read(tag(TagType::int16), "ff85") == Value(std::int64_t{-123}));
    CHECK(read(tag(TagType::uint16), "ff85") == Value(std::int64_t{65413}));
    CHECK(read(tag(TagType::uint16, ByteOrder::badc), "3412") == Value(std::int64_t{0x1234}));
    CHECK(read(tag(TagType::uint32, ByteOrder::abcd), "01020304") ==
          Value(std::int64_t{0x01020304}));
    CHECK(read(tag(TagType::uint32, ByteOrder::cdab), "03040102") ==
          Value(std::int64_t{0x01020304}));
    CHECK(read(tag(TagType::uint32, ByteOrder::badc), "02010403") ==
          Value(std::int64_t{0x01020304}));
    CHECK(read(tag(TagType::uint32, ByteOrder::dcba), "04030201") ==
          Value(std::int64_t{0x01020304}));
    CHECK(read(tag(TagType::int32), "fffffffe") == Value(std::int64_t{-2}));
    CHECK(read(tag(TagType::int64, ByteOrder::dcba), "feffffffffffffff") ==
          Value(std::int64_t{-2}));
    CHECK(read(tag(TagType::uint64, ByteOrder::cdab), "0708050603040102") ==
          Value(std::int64_t{0x0102030405060708}));
    CHECK(read(tag(TagType::float32), "41c80000") == Value(25.0));
    CHECK(read(tag(TagType::float32, ByteOrder::cdab), "000041c8") == Value(25.0));
    CHECK(read(tag(TagType::float64), "4039000000000000") == Value(25.0));
  }

  TEST_CASE("an unsigned value beyond 2^63 becomes a real number") {
    CHECK(read(tag(TagType::uint64), "ffffffffffffffff") == Value(18446744073709551615.0));
  }

  TEST_CASE("scale multiplies and precision rounds") {
    auto scaled = tag(TagType::int16, ByteOrder::abcd, 0.1);
    scaled.precision = 1;
    CHECK(read(scaled, "00eb") == Value(23.5));
    auto precise = tag(TagType::float32);
    precise.precision = 2;
    CHECK(read(precise, "41c8f5c3") == Value(25.12));
  }

  TEST_CASE("text ends at the first NUL and may be stored low octet first") {
    auto low = tag(TagType::text);
    low.address.text_low_first = true;

    CHECK(read(tag(TagType::text), "4142430000000000") == Value(std::string("ABC")));
    CHECK(read(low, "4241004300000000") == Value(std::string("ABC")));
    CHECK(written(tag(TagType::text), Value(std::string("ABC"))) == "4142430000000000");
    CHECK(written(low, Value(std::string("ABC"))) == "4241004300000000");
    CHECK(written(low, Value(std::string("123456789"))) == does_not_fit);
  }

  TEST_CASE("what is no number or no text is bad, not a value [R24]") {
    for (const auto* hex : {"7fc00000", "7f800000", "ff800000"}) {
      CHECK_FALSE(modbus::decode(tag(TagType::float32), *ecp::from_hex(hex)));
    }
    CHECK_FALSE(modbus::decode(tag(TagType::text), *ecp::from_hex("c328000000000000")));
  }

  TEST_CASE("a bit of a register is told by its number") {
    auto bit = tag(TagType::boolean);
    bit.address.bit = 9;

    CHECK(read(bit, "0200") == Value(true));
    CHECK(read(bit, "fdff") == Value(false));
  }

  TEST_CASE("what is written reads back the same") {
    for (const auto order : {ByteOrder::abcd, ByteOrder::cdab, ByteOrder::badc, ByteOrder::dcba}) {
      for (const auto type : {TagType::int16, TagType::int32, TagType::int64, TagType::float32,
                              TagType::float64, TagType::uint16, TagType::uint32}) {
        const auto config = tag(type, order);
        const auto raw = modbus::encode_value(config, Value(std::int64_t{12345}));
        REQUIRE(raw);
        const auto back = modbus::decode(config, *raw);
        REQUIRE(back);
        const bool is_real = type == TagType::float32 || type == TagType::float64;
        CHECK(*back == (is_real ? Value(12345.0) : Value(std::int64_t{12345})));
      }
    }
  }

  TEST_CASE("a value that the register cannot hold is refused at its very edge") {
    using Limits = std::numeric_limits<std::int64_t>;
    CHECK(written(tag(TagType::int16), Value(std::int64_t{-32768})) == "8000");
    CHECK(written(tag(TagType::int16), Value(std::int64_t{-32769})) == does_not_fit);
    CHECK(written(tag(TagType::uint16), Value(std::int64_t{65535})) == "ffff");
    CHECK(written(tag(TagType::uint16), Value(std::int64_t{65536})) == does_not_fit);
    CHECK(written(tag(TagType::uint16), Value(-1.0)) == does_not_fit);
    CHECK(written(tag(TagType::uint64), Value(std::int64_t{-1})) == does_not_fit);
    CHECK(written(tag(TagType::int64), Value(Limits::max())) == "7fffffffffffffff");
    CHECK(written(tag(TagType::int64), Value(9223372036854775808.0)) == does_not_fit);
    CHECK(written(tag(TagType::uint64), Value(18446744073709551616.0)) == does_not_fit);
    CHECK(written(tag(TagType::int16, ByteOrder::abcd, 0.1), Value(3276.7)) == "7fff");
    CHECK(written(tag(TagType::int16, ByteOrder::abcd, 0.1), Value(3276.8)) == does_not_fit);
    CHECK(written(tag(TagType::float32), Value(1e39)) == does_not_fit);
    CHECK(written(tag(TagType::float64, ByteOrder::abcd, 1e-300), Value(1e300)) == does_not_fit);
  }

  TEST_CASE("a value of another type is refused") {
    const std::string wrong = "pipeline.write_wrong_type";
    CHECK(written(tag(TagType::boolean), Value(std::int64_t{1})) == wrong);
    CHECK(written(tag(TagType::int16), Value(true)) == wrong);
    CHECK(written(tag(TagType::float32), Value(std::string("1"))) == wrong);
    CHECK(written(tag(TagType::text), Value(1.0)) == wrong);
    CHECK(written(tag(TagType::boolean), Value(true)) == "01");
  }
}
