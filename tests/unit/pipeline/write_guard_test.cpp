// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <doctest/doctest.h>

#include <ecp/pipeline/pipeline.hpp>

namespace kind = ecp::kind;
using ecp::pipeline::judge_write;

namespace {

kind::TagConfig setpoint() {
  kind::TagConfig tag;
  tag.type = kind::TagType::float32;
  tag.writable = true;
  tag.min = 20;
  tag.max = 900;
  return tag;
}

/// The symbol of the guard that refused, or "".
std::string refusal(const kind::TagConfig& tag, std::string_view value, bool writes = true) {
  const auto judged = judge_write(tag, value, {writes, {}, {}, false});
  return judged ? "" : std::string(judged.error().reason->symbol);
}

}  // namespace

TEST_SUITE("pipeline.judge_write") {
  TEST_CASE("a value within min and max is taken, the bounds included") {
    CHECK(refusal(setpoint(), "20") == "");
    CHECK(refusal(setpoint(), "900.0") == "");
    CHECK(refusal(setpoint(), "19.999") == "pipeline.write_out_of_range");
    CHECK(refusal(setpoint(), "900.001") == "pipeline.write_out_of_range");
  }

  TEST_CASE("a refusal names the value and both bounds") {
    const auto judged = judge_write(setpoint(), "5000", {});

    REQUIRE_FALSE(judged);
    const auto message = judged.error().message();
    CHECK(message.find("5000") != std::string::npos);
    CHECK(message.find("20") != std::string::npos);
    CHECK(message.find("900") != std::string::npos);
  }

  TEST_CASE("writes that are off in the agent's file stay off, whatever is asked") {
    CHECK(refusal(setpoint(), "400", false) == "pipeline.writes_off");
  }

  TEST_CASE("a tag that is not declared writable is never written") {
    auto tag = setpoint();
    tag.writable = false;

    CHECK(refusal(tag, "400") == "pipeline.not_writable");
  }

  TEST_CASE("a number without declared bounds is refused, should one ever get here") {
    auto tag = setpoint();
    tag.min.reset();

    CHECK(refusal(tag, "400") == "pipeline.write_out_of_range");
  }

  TEST_CASE("what is no JSON scalar of the tag's type is refused [R24]") {
    for (const auto* value : {"", "null", "[400]", "{}", "\"400\"", "true", "NaN", "1e999", "4 0 0",
                              "Infinity", "0x10", "400,"}) {
      CAPTURE(value);
      CHECK(refusal(setpoint(), value) == "pipeline.write_wrong_type");
    }
  }

  TEST_CASE("a value that the type cannot hold is refused though it is within the bounds") {
    auto tag = setpoint();
    tag.type = kind::TagType::int16;
    tag.max = 1e6;

    CHECK(refusal(tag, "40000") == "pipeline.write_does_not_fit");
  }

  TEST_CASE("booleans and texts take their own type alone") {
    kind::TagConfig coil;
    coil.address.area = kind::ModbusArea::coil;
    coil.type = kind::TagType::boolean;
    coil.writable = true;
    kind::TagConfig text;
    text.type = kind::TagType::text;
    text.address.text_registers = 2;
    text.writable = true;

    CHECK(refusal(coil, "true") == "");
    CHECK(refusal(coil, "1") == "pipeline.write_wrong_type");
    CHECK(refusal(text, "\"abcd\"") == "");
    CHECK(refusal(text, "\"abcde\"") == "pipeline.write_does_not_fit");
  }

  TEST_CASE("a step is measured from the value that the data tag has now") {
    auto tag = setpoint();
    tag.max_step = 10;
    const auto step = [&tag](double from, const char* to) {
      const auto judged = judge_write(tag, to, {true, ecp::series::Value(from), {}, false});
      return judged ? "" : std::string(judged.error().reason->symbol);
    };

    CHECK(step(400, "410") == "");
    CHECK(step(400, "390") == "");
    CHECK(step(400, "410.1") == "pipeline.write_step_too_large");
    CHECK(step(400, "389.9") == "pipeline.write_step_too_large");
    CHECK(step(static_cast<double>(20.1F), "30.1") == "");  // As float32 reads it back.
    CHECK(refusal(tag, "400") == "pipeline.write_step_unknown");
  }

  TEST_CASE("a step between whole numbers is exact") {
    auto tag = setpoint();
    tag.type = kind::TagType::uint32;
    tag.max = 4e9;
    tag.max_step = 10;
    const auto from = ecp::series::Value(std::int64_t{3'000'000'000});

    CHECK(judge_write(tag, "3000000010", {true, from, {}, false}));
    CHECK_FALSE(judge_write(tag, "3000000011", {true, from, {}, false}));
  }

  TEST_CASE("a write waits for the least interval, to the millisecond") {
    auto tag = setpoint();
    tag.min_interval = ecp::Milliseconds{500};
    const auto after = [&tag](std::int64_t ms) {
      const auto judged = judge_write(tag, "400", {true, {}, ecp::Milliseconds{ms}, false});
      return judged ? "" : std::string(judged.error().reason->symbol);
    };

    CHECK(refusal(tag, "400") == "");
    CHECK(after(499) == "pipeline.write_too_soon");
    CHECK(after(500) == "");
  }

  TEST_CASE("a safe value is held by all guards but step and interval") {
    auto tag = setpoint();
    tag.max_step = 1;
    tag.min_interval = ecp::Milliseconds{500};
    const ecp::pipeline::WriteCircumstances safe{true, {}, ecp::Milliseconds{1}, true};

    CHECK(judge_write(tag, "20", safe));
    CHECK_FALSE(judge_write(tag, "19", safe));
    CHECK_FALSE(judge_write(tag, "20", {false, {}, {}, true}));
  }
}
