// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>
#include <limits>

namespace ecp {
namespace {

using namespace std::string_literals;
using json::Document;

Error refusal(const std::string& text, std::size_t max_size = limits::json_document) {
  CAPTURE(text);
  auto document = Document::parse(text, max_size);
  REQUIRE_FALSE(document.has_value());
  CHECK(document.error().is(reasons::bad_json));
  return document.error();
}

std::string again(const std::string& text) {
  return Document::parse(text).value().root().to_text();
}

TEST_SUITE("core.json.Document") {
  TEST_CASE("every kind of value is read and told apart") {
    const auto document =
        Document::parse(R"( {"n":null,"b":true,"i":-7,"d":0.5,"s":"ö\n","a":[1,2],"o":{}} )")
            .value();
    const auto root = document.root();

    CHECK(root.is_object());
    CHECK(root.size() == 7);
    CHECK(root.find("n")->is_null());
    CHECK(root.find("b")->get_bool());
    CHECK(root.find("i")->get_integer() == -7);
    CHECK(root.find("d")->get_number() == 0.5);
    CHECK_FALSE(root.find("d")->is_integer());
    CHECK(root.find("s")->get_string() == "ö\n");
    CHECK(root.find("a")->at(1).get_integer() == 2);
    CHECK(root.find("o")->size() == 0);
    CHECK_FALSE(root.find("x").has_value());
    CHECK(root.member(2).first == "i");
  }

  TEST_CASE("asking a value of another type gives a neutral value") {
    const auto document = Document::parse(R"([1,"x",null,true,{}])").value();

    for (std::size_t i = 0; i < 5; ++i) {
      const auto value = document.root().at(i);
      CAPTURE(i);
      CHECK(value.get_bool() == (i == 3));
      CHECK(value.get_integer() == (i == 0 ? 1 : 0));
      CHECK(value.get_number() == (i == 0 ? 1.0 : 0.0));
      CHECK(value.get_string() == (i == 1 ? "x" : ""));
      CHECK(value.size() == 0);
      CHECK_FALSE(value.find("x").has_value());
    }
  }

  TEST_CASE("a scalar is a document") {
    CHECK(Document::parse("null").value().root().is_null());
    CHECK(Document::parse("\"a\\u0000b\"").value().root().get_string() == "a\0b"s);
    CHECK(Document::parse(" 1 ").value().root().get_integer() == 1);
  }

  TEST_CASE("[R24] text that RFC 8259 forbids is refused") {
    for (const auto& text : {""s,
                             " "s,
                             "{"s,
                             "["s,
                             "]"s,
                             "{]"s,
                             "[}"s,
                             "[1,]"s,
                             "{\"a\":1,}"s,
                             "{\"a\"}"s,
                             "{a:1}"s,
                             "{'a':1}"s,
                             "{1:2}"s,
                             "nul"s,
                             "NULL"s,
                             "nullx"s,
                             "tru"s,
                             "1 2"s,
                             "[] []"s,
                             "01"s,
                             "1."s,
                             ".5"s,
                             "+1"s,
                             "-"s,
                             "0x10"s,
                             "1e"s,
                             "NaN"s,
                             "[NaN]"s,
                             "Infinity"s,
                             "-Infinity"s,
                             "inf"s,
                             "1e999"s,
                             "-1e999"s,
                             "\""s,
                             "\"\\x\""s,
                             "\"\\u12\""s,
                             "\"a\nb\""s,
                             "\"\t\""s,
                             "/*c*/1"s,
                             "1//c"s,
                             "\xEF\xBB\xBF[]"s,
                             "[]\0"s,
                             "[]\0x"s,
                             "\0"s,
                             "\"a\0b\""s}) {
      refusal(text);
    }
  }

  TEST_CASE("[R24] broken UTF-8 and lone surrogates are refused") {
    for (const auto& text :
         {"\"\xFF\""s, "\"\xC3\""s, "\"\xC0\x80\""s, "\"\xED\xA0\x80\""s, "\"\xF4\x90\x80\x80\""s,
          "\"\\ud800\""s, "\"\\udc00\""s, "\"\\udfff\\ud800\""s, "\"\\ud800\\u0041\""s,
          "\"\\ud800x\""s, "\"\\ud800\\ud800\""s, "{\"\\udc00\":1}"s}) {
      refusal(text);
    }
    CHECK(Document::parse(R"("\ud83d\udd25")").value().root().get_string() == "\xF0\x9F\x94\xA5");
    CHECK(Document::parse("\"\xF0\x9F\x94\xA5\"").value().root().get_string() ==
          "\xF0\x9F\x94\xA5");
  }

  TEST_CASE("[R24] a member name twice is refused at any depth, also when it is escaped") {
    CHECK(refusal(R"({"a":1,"b":2,"a":3})").params[1].second == "14");
    refusal(R"({"a":1,"\u0061":2})");
    refusal(R"([[{"x":{"a":1,"a":1}}]])");
    refusal(R"({"":1,"":2})");
    refusal(R"({"a":{"a":1},"b":{},"a":2})");
    CHECK(Document::parse(R"({"a":{"a":1,"b":2},"b":{"a":1}})").has_value());
  }

  TEST_CASE("[R24] numbers at the edge of 64 bits are read exactly or are no integers") {
    const auto document =
        Document::parse(
            "[9223372036854775807,-9223372036854775808,9223372036854775808,"
            "18446744073709551615,18446744073709551616,5.0,1e3,9007199254740994.0,-0]")
            .value();
    const auto root = document.root();

    CHECK(root.at(0).get_integer() == std::numeric_limits<std::int64_t>::max());
    CHECK(root.at(1).get_integer() == std::numeric_limits<std::int64_t>::min());
    for (const std::size_t i : {2U, 3U, 4U, 7U}) {
      CHECK_FALSE(root.at(i).is_integer());
      CHECK(root.at(i).is_number());
      CHECK(root.at(i).get_integer() == 0);
    }
    CHECK(root.at(2).get_number() == 9223372036854775808.0);
    CHECK(root.at(5).get_integer() == 5);
    CHECK(root.at(6).get_integer() == 1000);
    CHECK(root.at(8).get_integer() == 0);
    CHECK(root.at(8).is_integer());
  }

  TEST_CASE("[R24] numbers too large for a double are refused and tiny ones are zero") {
    const std::string zeros(400, '0');
    for (const auto& text : {"1e309"s, "-1e309"s, "1E+999"s, "1e99999999999999999999"s, "1" + zeros,
                             "1" + zeros + ".5", "1" + zeros + zeros + "e-100", "0.01e311"s,
                             "0." + zeros + "1e800", "2e308"s, "0.02e310"s}) {
      refusal(text);
      refusal("[0," + text + "]");
    }
    for (const auto& text : {"1e-999"s, "-1e-999"s, "0.0e-999"s, "-0.0"s, "0e-0"s, "0e10"s,
                             "1e-99999999999999999999"s, "0." + zeros + "1", "0.1e-400"s}) {
      CAPTURE(text);
      const auto document = Document::parse(text);
      REQUIRE(document.has_value());
      CHECK(document->root().get_number() == 0.0);
    }
    CHECK(Document::parse("1.7976931348623157e308").has_value());
    CHECK(Document::parse("0." + zeros + "1e401").value().root().get_number() == 1.0);
    CHECK(Document::parse("5e-324").value().root().get_number() > 0.0);
  }

  TEST_CASE("[R24] nesting is bounded and two million brackets do no harm") {
    const auto nested = [](std::size_t depth, const std::string& open, const std::string& close) {
      std::string text;
      for (std::size_t i = 0; i < depth; ++i) text += open;
      text += "1";
      for (std::size_t i = 0; i < depth; ++i) text += close;
      return text;
    };

    CHECK(Document::parse(nested(limits::json_depth, "[", "]")).has_value());
    CHECK(Document::parse(nested(limits::json_depth, "{\"a\":", "}")).has_value());
    refusal(nested(limits::json_depth + 1, "[", "]"));
    refusal(nested(limits::json_depth + 1, "{\"a\":", "}"));
    CHECK_FALSE(Document::parse(std::string(2'000'000, '[')).has_value());
    CHECK_FALSE(Document::parse(nested(400'000, "{\"a\":", "}")).has_value());
  }

  TEST_CASE("[R23] a text over the size given is refused before it is read") {
    CHECK(Document::parse("[1,2]", 5).has_value());
    CHECK(refusal("[1,2]", 4).message().find("longer than 4 octets") != std::string::npos);
  }

  TEST_CASE("an error names the problem and its offset") {
    CHECK(refusal("[1, x]").message() == "the text is not valid JSON: Invalid value at offset 4");
    CHECK(refusal("[\"\xFF\"]").params[1].second == "2");
    CHECK(refusal("[\"a\",\"\\udc00\"]").message() ==
          "the text is not valid JSON: a surrogate stands alone at offset 6");
  }

  TEST_CASE("a value is written back with the same content") {
    for (const auto* text : {"null", "true", "[]", "{}", R"({"a":[1,{"b":"x\"\\"}],"c":-0.25})",
                             "18446744073709551615", "1e+300", "0.1", "[\"\xF0\x9F\x94\xA5\"]",
                             R"(["\u0000\u001f"])"}) {
      CHECK(again(text) == text);
    }
  }

  TEST_CASE("[R24] no mutation of a good text does harm") {
    const std::string good =
        R"({"a":[1,-2.5e3,"\u00e9\ud83d\udd25",null,true],"b":{"c":{},"d":"\n"},"é":18446744073709551615})";
    REQUIRE(Document::parse(good).has_value());
    SeededRandom random(24);
    int accepted = 0;
    for (int i = 0; i < 50'000; ++i) {
      std::string text = good;
      for (std::uint64_t k = 0; k <= random.below(3); ++k) {
        const auto place = random.below(text.size());
        const auto kind = random.below(4);
        if (kind == 0) text[place] = static_cast<char>(random.below(256));
        if (kind == 1) text.erase(place, random.below(5));
        if (kind == 2) text.insert(place, 1, "{}[]\",:\\0e-"[random.below(11)]);
        if (kind == 3) text += text.substr(place);
        if (text.empty()) text = "x";
      }
      const auto document = Document::parse(text);
      if (!document) continue;
      ++accepted;
      const auto written = document->root().to_text();
      REQUIRE(again(written) == written);
    }

    CHECK(accepted > 100);
  }
}

}  // namespace
}  // namespace ecp
