// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/kind/pipeline_config.hpp>

using ecp::kind::ModbusArea;
using ecp::kind::parse_modbus_address;

TEST_SUITE("kind.ModbusAddress") {
  TEST_CASE("the first digit names the area and registers count from one") {
    const auto holding = parse_modbus_address("1!400001");
    const auto input = parse_modbus_address("17!30010");
    const auto coil = parse_modbus_address("255!000008");
    const auto discrete = parse_modbus_address("0!165536");

    REQUIRE(holding);
    CHECK(holding->unit == 1);
    CHECK(holding->area == ModbusArea::holding_register);
    CHECK(holding->offset == 0);
    REQUIRE(input);
    CHECK(input->unit == 17);
    CHECK(input->area == ModbusArea::input_register);
    CHECK(input->offset == 9);
    REQUIRE(coil);
    CHECK(coil->area == ModbusArea::coil);
    CHECK(coil->offset == 7);
    REQUIRE(discrete);
    CHECK(discrete->area == ModbusArea::discrete_input);
    CHECK(discrete->offset == 65'535);
  }

  TEST_CASE("a suffix names a bit or the length of a text") {
    const auto bit = parse_modbus_address("1!400010.15");
    const auto text = parse_modbus_address("1!400010.10L");

    REQUIRE(bit);
    CHECK(bit->bit == 15);
    REQUIRE(text);
    CHECK(text->text_registers == 10);
    CHECK(text->text_low_first);
  }

  TEST_CASE("what is no address is refused and named") {
    for (const auto* text :
         {"",          "400001",      "1!",           "1!4",           "1!4000001",
          "1!200001",  "1!400000",    "1!465537",     "256!400001",    "-1!400001",
          "1!400001.", "1!400001.16", "1!400001.0H",  "1!400001.126H", "1!000001.3",
          "1! 400001", "1!40000a",    "1!400001.3H4", "x!400001",      "1!400001!1"}) {
      CAPTURE(text);
      const auto address = parse_modbus_address(text);
      REQUIRE_FALSE(address);
      CHECK(address.error().code() == ecp::ErrorCode::invalid_argument);
    }
  }
}
