// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/config.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/random.hpp>
#include <ecp/core/reasons.hpp>

#include "support/temporary_folder.hpp"

namespace ecp {
namespace {

using namespace std::chrono_literals;

Result<Config> parse(std::string_view text, const EnvironmentVariables& environment = {}) {
  return Config::parse(text, "ecp.yaml", "ECP", environment);
}

std::string refusal(std::string_view text) {
  const auto config = parse(text);
  REQUIRE_FALSE(config.has_value());
  CHECK(config.error().is(reasons::bad_config));
  return config.error().message();
}

template <class T>
std::string problem(const Result<T>& result) {
  REQUIRE_FALSE(result.has_value());
  CHECK(result.error().is(reasons::bad_config));
  return result.error().message();
}

constexpr std::string_view example = R"(# Comment
http:
  listen: 127.0.0.1:8443
  workers: 4
  tls: true
  idle: 15s
  names: [a, "b c"]
data: /var/lib/ecp
empty:
)";

TEST_SUITE("core.Config") {
  TEST_CASE("keys of every type are read by their dotted path") {
    auto config = parse(example).value();

    CHECK(config.text("http.listen").value() == "127.0.0.1:8443");
    CHECK(config.integer_or("http.workers", 1, 1, 64).value() == 4);
    CHECK(config.boolean_or("http.tls", false).value());
    CHECK(config.duration_or("http.idle", 1s, 1s, 1min).value() == 15s);
    CHECK(config.texts_or("http.names", {}).value() == std::vector<std::string>{"a", "b c"});
    CHECK(config.text_or("data", "x").value() == "/var/lib/ecp");
    CHECK_FALSE(config.has("empty"));
    CHECK(config.text_or("empty", "x").value() == "x");
    CHECK(config.has("data"));
    CHECK(config.finish().has_value());
  }

  TEST_CASE("absent keys give their fallback and an absent required one is an error") {
    auto config = parse("").value();

    CHECK(config.text_or("a.b", "x").value() == "x");
    CHECK(config.integer_or("a.c", 7, 1, 9).value() == 7);
    CHECK_FALSE(config.boolean_or("a.d", false).value());
    CHECK(config.duration_or("a.e", 90min, 0ms, 24h).value() == 90min);
    CHECK(config.texts_or("a.f", {"x"}).value().size() == 1);
    CHECK(problem(config.text("a.g")) == "ecp.yaml:1: a.g is missing");
    CHECK(config.finish().has_value());
  }

  TEST_CASE("a bad value is refused with file, line, key and what it must be") {
    auto config = parse(example).value();

    CHECK(problem(config.integer_or("http.workers", 1, 5, 9)) ==
          "ecp.yaml:4: http.workers must be a whole number between 5 and 9");
    CHECK(problem(config.integer_or("http.listen", 1, 5, 9)) ==
          "ecp.yaml:3: http.listen must be a whole number between 5 and 9");
    CHECK(problem(config.boolean_or("data", true)) == "ecp.yaml:8: data must be true or false");
    CHECK(problem(config.duration_or("http.idle", 1h, 1min, 24h)) ==
          "ecp.yaml:6: http.idle must be a duration between 1m and 1d, written like 500ms, 15s, "
          "5m, 24h or 90d");
    CHECK(problem(config.text("http")) == "ecp.yaml:2: http must be a single value");
    CHECK(problem(config.text("http.names")) == "ecp.yaml:7: http.names must be a single value");
    CHECK(problem(config.texts_or("data", {})) == "ecp.yaml:8: data must be a list");
    CHECK(problem(config.text("http.port")) == "ecp.yaml:2: http.port is missing");
    CHECK(config.bad("data", "is full").message() == "ecp.yaml:8: data is full");
  }

  TEST_CASE("[R24] numbers and durations that overflow or carry anything else are refused") {
    for (const auto* value :
         {"9223372036854775808", "1e3", "0x10", "1.5", "'1 '", "'-'", "''", ".inf"}) {
      CAPTURE(value);
      auto config = parse(std::string("x: ") + value).value();
      CHECK_FALSE(config.integer_or("x", 1, -10, 10).has_value());
    }
    for (const auto* value :
         {"15", "s", "15 s", "-15s", "1.5s", "15S", "15w", "9223372036854775807d"}) {
      CAPTURE(value);
      auto config = parse(std::string("x: ") + value).value();
      CHECK_FALSE(config.duration_or("x", 1s, 0ms, 8760h).has_value());
    }
  }

  TEST_CASE("a key that nobody asked for is refused with its line") {
    auto config = parse("http:\n  listen: x\n  lisen: y\n").value();
    CHECK(config.text("http.listen").has_value());

    CHECK(problem(config.finish()) == "ecp.yaml:3: http.lisen is not a known key");
  }

  TEST_CASE("an unknown section is refused, filled or empty, and an empty known one is not") {
    auto config = parse("http:\nspare:\n").value();
    CHECK(config.text_or("http.listen", "x").has_value());

    CHECK(problem(config.finish()) == "ecp.yaml:2: spare is not a known key");
  }

  TEST_CASE("an environment variable overrides a key and is named in errors") {
    auto config = parse(example, {{"ECP_HTTP_WORKERS", "8"},
                                  {"ECP_HTTP_NAMES", "x, y,z"},
                                  {"ECP_NEW_KEY", "many"},
                                  {"HOME", "/root"}})
                      .value();

    CHECK(config.integer_or("http.workers", 1, 1, 64).value() == 8);
    CHECK(config.texts_or("http.names", {}).value() == std::vector<std::string>{"x", "y", "z"});
    CHECK(config.has("new_key"));
    CHECK(problem(config.integer_or("new.key", 1, 1, 9)) ==
          "environment:0: new.key must be a whole number between 1 and 9");
  }

  TEST_CASE("an environment variable with our prefix that stands for no key is refused") {
    auto config = parse("", {{"ECP_HTTP_LISEN", "x"}, {"ECPX", "y"}, {"ECP_DATA", "/d"}}).value();
    CHECK(config.text("data").value() == "/d");

    CHECK(problem(config.finish()) == "environment:0: ECP_HTTP_LISEN stands for no known key");
  }

  TEST_CASE("[R24] YAML beyond plain mappings, lists and scalars is refused with its line") {
    CHECK(refusal("a: 1\na: 2\n") == "ecp.yaml:2: a stands twice");
    CHECK(refusal("a:\n  b: 1\n  b: 2\n") == "ecp.yaml:3: a.b stands twice");
    CHECK(refusal("a: &x 1\nb: *x\n") == "ecp.yaml:1: a anchors are not allowed");
    CHECK(refusal("a: !!str 1\n") == "ecp.yaml:1: a tags are not allowed");
    CHECK(refusal("a: 1\n---\nb: 2\n").starts_with("ecp.yaml:2: "));
    CHECK(refusal("a: [[1]]\n").starts_with("ecp.yaml:1: a "));
    CHECK(refusal("a: [{b: 1}]\n").starts_with("ecp.yaml:1: a "));
    CHECK(refusal("a: [1, ]\nb: [~]\n").starts_with("ecp.yaml:2: b "));
    CHECK(refusal("- a\n").starts_with("ecp.yaml:1: "));
    CHECK(refusal("text\n").starts_with("ecp.yaml:1: "));
    CHECK(refusal("? [a]\n: 1\n").starts_with("ecp.yaml:1: "));
    CHECK(refusal("~: 1\n").starts_with("ecp.yaml:1: "));
    CHECK(refusal("a.b: 1\n").find("'a.b'") != std::string::npos);
    CHECK(refusal("Listen: 1\n").find("'Listen'") != std::string::npos);
  }

  TEST_CASE("[R21] a truncated or broken file is refused with its line") {
    CHECK(refusal("a: 1\nb: [1,\n").starts_with("ecp.yaml:"));
    CHECK(refusal("a: 1\n\tb: 2\n").starts_with("ecp.yaml:2: "));
    CHECK(refusal("a: 1\nb: \"x\n").starts_with("ecp.yaml:"));
    CHECK(refusal("a: 1\nb: \xFF\n") == "ecp.yaml:2: the configuration the text is not UTF-8");
    CHECK(refusal(std::string_view("a: \0\n", 5)).starts_with("ecp.yaml:1: "));
    CHECK(refusal(std::string(200'000, '[')).starts_with("ecp.yaml:"));
    CHECK(refusal(std::string(200'000, '{')).starts_with("ecp.yaml:"));
    std::string deep;
    for (std::size_t i = 0; i < 200; ++i) deep += std::string(i, ' ') + "a:\n";
    CHECK(refusal(deep + std::string(200, ' ') + "a: 1\n").find("too deep") != std::string::npos);
  }

  TEST_CASE("a document may be closed by its end marker") {
    auto config = parse("---\na: 1\n...\n").value();

    CHECK(config.integer_or("a", 0, 0, 9).value() == 1);
    CHECK(config.finish().has_value());
    CHECK(parse("b: |\n  text\n").value().text("b").value() == "text\n");
    CHECK(parse("# nothing\n").value().finish().has_value());
  }

  TEST_CASE("[R24] no mutation of a good file does harm") {
    SeededRandom random(6);
    int accepted = 0;
    for (int i = 0; i < 5'000; ++i) {
      std::string text(example);
      for (std::uint64_t k = 0; k <= random.below(3); ++k) {
        const auto place = random.below(text.size());
        if (random.below(2) == 0) {
          text[place] = static_cast<char>(random.below(256));
        } else {
          text.insert(place, 1, "{}[]:,&*!|>'\"%@`#?- \n\t"[random.below(23)]);
        }
      }
      auto config = parse(text);
      if (!config) continue;
      ++accepted;
      // Only that they return counts, whatever the mutation made of the values.
      (void)config->integer_or("http.workers", 1, 1, 64);
      (void)config->texts_or("http.names", {});
      (void)config->finish();
    }

    CHECK(accepted > 100);
    CHECK(accepted < 4'900);
  }

  TEST_CASE("a file is loaded and its absence or size is told") {
    const testing::TemporaryFolder folder;
    REQUIRE(write_file_durably(folder / "good.yaml", "a: 1\n").has_value());
    REQUIRE(write_file_durably(folder / "big.yaml", std::string(limits::config_file + 1, '#')));

    CHECK(Config::load(folder / "good.yaml", "ECP", {}).value().integer_or("a", 0, 0, 9).value() ==
          1);
    const auto absent = Config::load(folder / "none.yaml", "ECP", {});
    CHECK(absent.error().code() == ErrorCode::not_found);
    CHECK(absent.error().describe().find("none.yaml") != std::string::npos);
    CHECK(Config::load(folder / "big.yaml", "ECP", {}).error().code() ==
          ErrorCode::invalid_argument);
  }
}

}  // namespace
}  // namespace ecp
