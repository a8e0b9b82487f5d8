// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp {
namespace {

using json::ObjectDocument;

struct PressTag {
  static constexpr std::string_view prefix = "press";
};
using PressId = Id<PressTag>;

ObjectDocument object(std::string_view text) { return ObjectDocument::parse(text).value(); }

template <class T>
std::string problem(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().code() == ErrorCode::invalid_argument);
  return result.error().message();
}

TEST_SUITE("core.json.Reader") {
  TEST_CASE("fields of every kind are read") {
    ManualEnv world;
    const auto id = world.ids.next<PressId>();
    auto document = object(R"({"t":"Öfen","i":5,"n":1.5,"b":true,"c":"two","id":")" +
                           id.to_string() + R"(","o":{"x":1},"a":[1,2],"r":"a\nb","v":null})");
    auto& reader = document.reader();

    CHECK(reader.text("t").value() == "Öfen");
    CHECK(reader.integer("i", 5, 5).value() == 5);
    CHECK(reader.number("n", 1.5, 1.5).value() == 1.5);
    CHECK(reader.boolean("b").value());
    CHECK(reader.choice("c", {"one", "two"}).value() == "two");
    CHECK(reader.id<PressId>("id").value() == id);
    CHECK(reader.object("o").value().integer("x", 0, 9).value() == 1);
    CHECK(reader.array("a", 2).value()[1].get_integer() == 2);
    CHECK(reader.raw_text("r", 3).value() == "a\nb");
    CHECK_FALSE(reader.optional_value("v").has_value());
    CHECK(reader.finish().has_value());
  }

  TEST_CASE("an absent field and null are missing, or give the fallback") {
    for (const auto* text : {"{}", R"({"x":null})"}) {
      auto document = object(text);
      auto& reader = document.reader();

      CHECK_FALSE(reader.has("x"));
      CHECK(problem(reader.text("x")) == "x is missing");
      CHECK(problem(reader.raw_text("x", 9)) == "x is missing");
      CHECK(problem(reader.integer("x", 0, 9)) == "x is missing");
      CHECK(problem(reader.number("x", 0, 9)) == "x is missing");
      CHECK(problem(reader.boolean("x")) == "x is missing");
      CHECK(problem(reader.choice("x", {"a"})) == "x is missing");
      CHECK(problem(reader.id<PressId>("x")) == "x is missing");
      CHECK(problem(reader.object("x")) == "x is missing");
      CHECK(problem(reader.array("x", 9)) == "x is missing");
      CHECK(problem(reader.value("x")) == "x is missing");
      CHECK_FALSE(reader.optional_text("x").value().has_value());
      CHECK_FALSE(reader.optional_integer("x", 0, 9).value().has_value());
      CHECK_FALSE(reader.optional_number("x", 0, 9).value().has_value());
      CHECK_FALSE(reader.optional_object("x").value().has_value());
      CHECK(reader.integer_or("x", 7, 0, 9).value() == 7);
      CHECK(reader.number_or("x", 0.5, 0, 9).value() == 0.5);
      CHECK(reader.boolean_or("x", true).value());
      CHECK(reader.array_or_empty("x", 9).value().empty());
      CHECK(reader.finish().has_value());
    }
  }

  TEST_CASE("[R24] a field of another type is refused by every getter") {
    for (const auto* value : {"1", "true", "\"x\"", "[]", "{}", "0.5", "1e300",
                              "9223372036854775808", "\"1\"", "[null]"}) {
      CAPTURE(value);
      auto document = object(std::string("{\"x\":") + value + "}");
      auto& reader = document.reader();
      const auto found = *reader.optional_value("x");

      CHECK(reader.text("x").has_value() == found.is_string());
      CHECK(reader.optional_text("x").has_value() == found.is_string());
      CHECK(reader.raw_text("x", 9).has_value() == found.is_string());
      CHECK(reader.integer("x", -9, 9).has_value() == found.is_integer());
      CHECK(reader.integer_or("x", 0, -9, 9).has_value() == found.is_integer());
      CHECK(reader.number("x", 0, 1e301).has_value() == found.is_number());
      CHECK(reader.number_or("x", 0, 0, 1e301).has_value() == found.is_number());
      CHECK(reader.boolean("x").has_value() == found.is_bool());
      CHECK(reader.boolean_or("x", true).has_value() == found.is_bool());
      CHECK(reader.object("x").has_value() == found.is_object());
      CHECK(reader.optional_object("x").has_value() == found.is_object());
      CHECK(reader.array("x", 9).has_value() == found.is_array());
      CHECK(reader.array_or_empty("x", 9).has_value() == found.is_array());
      CHECK_FALSE(reader.choice("x", {"a"}).has_value());
      CHECK_FALSE(reader.id<PressId>("x").has_value());
    }
  }

  TEST_CASE("bounds of text are counted in characters and named in the error") {
    auto document = object(R"({"name":"öäü","empty":"","line":"a\nb"})");
    auto& reader = document.reader();

    CHECK(reader.text("name", {3, 3}).has_value());
    CHECK(problem(reader.text("name", {1, 2})) == "name must have 1 to 2 characters");
    CHECK(problem(reader.text("name", {4, 9})) == "name must have 4 to 9 characters");
    CHECK(problem(reader.text("empty")) == "empty must have 1 to 50 characters");
    CHECK(reader.text("empty", {0, 9}).has_value());
    CHECK(problem(reader.text("line")) == "line must not contain control characters");
    CHECK(problem(reader.raw_text("name", 5)) == "name must have at most 5 octets");
  }

  TEST_CASE("bounds of numbers and arrays are named in the error") {
    auto document = object(R"({"i":10,"n":0.5,"a":[1,2,3],"c":"x","half":1.5})");
    auto& reader = document.reader();

    CHECK(problem(reader.integer("i", 0, 9)) == "i must be a whole number between 0 and 9");
    CHECK(problem(reader.integer("i", 11, 12)) == "i must be a whole number between 11 and 12");
    CHECK(problem(reader.integer("half", 0, 9)) == "half must be a whole number between 0 and 9");
    CHECK(problem(reader.number("n", 1, 2.5)) == "n must be between 1 and 2.5");
    CHECK(problem(reader.array("a", 2)) == "a must have at most 2 elements");
    CHECK(problem(reader.choice("c", {"one", "two"})) == "c must be one of one, two");
  }

  TEST_CASE("errors name the whole path of a field") {
    auto document = object(R"({"config":{"group":{"interval":"x"}}})");
    auto config = document.reader().object("config").value();
    auto group = config.object("group").value();

    CHECK(group.path() == "config.group");
    CHECK(problem(group.boolean("interval")) == "config.group.interval must be true or false");
    CHECK(group.bad("interval", "is odd").message() == "config.group.interval is odd");
  }

  TEST_CASE("a member that nobody asked for is refused by finish") {
    auto document = object(R"({"known":1,"role":"admin"})");
    auto& reader = document.reader();
    CHECK(reader.integer("known", 0, 9).has_value());

    const auto outcome = reader.finish();

    CHECK(problem(outcome) == "role is not a known field");
    CHECK(outcome.error().is(reasons::unknown_field));
    CHECK(reader.text("role").has_value());
    CHECK(reader.finish().has_value());
  }

  TEST_CASE("a long name from outside is shown only in part") {
    auto document = object("{\"" + std::string(100'000, 'x') + "\":1}");

    CHECK(problem(document.reader().finish()).size() < 200);
  }

  TEST_CASE("[R24] a document that is no object is refused") {
    for (const auto* text : {"null", "[]", "1", "\"x\"", "true"}) {
      CHECK(problem(ObjectDocument::parse(text)) == "the document must be an object");
    }
    CHECK(ObjectDocument::parse("{").error().is(reasons::bad_json));
  }

  TEST_CASE("a reader stays valid when its document is moved") {
    auto first = object(R"({"x":"short","y":"a text that is longer than any inline buffer"})");
    auto second = std::move(first);

    CHECK(second.reader().text("x").value() == "short");
    CHECK(second.reader().text("y").value().size() == 44);
  }
}

}  // namespace
}  // namespace ecp
