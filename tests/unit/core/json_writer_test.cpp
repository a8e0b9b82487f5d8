// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <cmath>
#include <cstring>
#include <ecp/core/env.hpp>
#include <ecp/core/json.hpp>
#include <limits>

namespace ecp {
namespace {

using json::Document;
using json::Writer;

TEST_SUITE("core.json.Writer") {
  TEST_CASE("values, members and nesting are separated as they must be") {
    Writer writer;
    writer.begin_object().field("a", 1).key("b").begin_array();
    writer.value(true).null().value("x").begin_object().end_object().begin_array().end_array();
    writer.end_array().field("c", std::string("y")).key("d").raw("[7]");
    writer.field("e", std::optional<std::int64_t>()).field("f", std::optional<bool>(false));
    writer.end_object();

    CHECK(writer.take() ==
          R"({"a":1,"b":[true,null,"x",{},[]],"c":"y","d":[7],"e":null,"f":false})");
    CHECK(writer.size() == 0);
  }

  TEST_CASE("a writer can be used again after its text was taken") {
    Writer writer;
    writer.begin_array().value(1).end_array();
    CHECK(writer.take() == "[1]");

    writer.begin_array().value(2).end_array();
    CHECK(writer.take() == "[2]");
  }

  TEST_CASE("text is escaped and what is not UTF-8 is replaced") {
    Writer writer;
    writer.value(std::string_view("\"\\\n\r\t\x01\0ö\xFFx\xED\xA0\x80", 14));

    CHECK(writer.take() ==
          "\"\\\"\\\\\\n\\r\\t\\u0001\\u0000ö\xEF\xBF\xBDx\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\"");
  }

  TEST_CASE("numbers are written so that they read back the same") {
    Writer writer;
    writer.begin_array();
    writer.value(std::numeric_limits<std::int64_t>::min());
    writer.value(std::numeric_limits<std::uint64_t>::max());
    writer.value(0.1).value(1.0).value(-1e300).value(std::nan(""));
    writer.value(std::numeric_limits<double>::infinity()).end_array();

    CHECK(writer.take() == "[-9223372036854775808,18446744073709551615,0.1,1,-1e+300,null,null]");
  }

  TEST_CASE("ten thousand random doubles come back bit by bit") {
    SeededRandom random(5);
    for (int i = 0; i < 10'000; ++i) {
      const Bytes octets = random.bytes(sizeof(double));
      double number = 0;
      std::memcpy(&number, octets.data(), sizeof number);
      if (!std::isfinite(number)) continue;
      Writer writer;
      writer.value(number);
      const auto text = writer.take();
      CAPTURE(text);
      REQUIRE(Document::parse(text).value().root().get_number() == number);
    }
  }
}

}  // namespace
}  // namespace ecp
