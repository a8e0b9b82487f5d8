// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/reasons.hpp>
#include <ecp/core/result.hpp>
#include <memory>
#include <optional>
#include <string>

namespace ecp {
namespace {

struct Animal {
  virtual ~Animal() = default;
};
struct Dog final : Animal {};

Result<int> parse_digit(char c) {
  if (c < '0' || c > '9') return reasons::internal;
  return c - '0';
}

Result<int> add_digits(char left, char right) {
  ECP_TRY(const int a, parse_digit(left));
  ECP_TRY(const int b, parse_digit(right));
  return a + b;
}

Result<void> check_digit(char c) {
  ECP_TRY_VOID(parse_digit(c));
  return {};
}

Result<std::unique_ptr<Animal>> make_dog() { return std::make_unique<Dog>(); }
Result<std::optional<int>> find_nothing() { return std::nullopt; }
Result<std::string> literal() { return "text"; }

TEST_SUITE("core.Result") {
  TEST_CASE("a value or the first error comes out of a chain of calls") {
    CHECK(*add_digits('3', '4') == 7);
    CHECK(add_digits('3', 'x').error().is(reasons::internal));
    CHECK(check_digit('1').has_value());
    CHECK_FALSE(check_digit('x').has_value());
  }

  TEST_CASE("a result is made from whatever its value is made from") {
    CHECK(make_dog().value() != nullptr);
    CHECK_FALSE(find_nothing().value().has_value());
    CHECK(*literal() == "text");
  }

  TEST_CASE("a pointer does not become the success true") {
    CHECK_FALSE(std::is_convertible_v<const char*, Result<bool>>);
    CHECK(std::is_convertible_v<bool, Result<bool>>);
  }

  TEST_CASE("a move-only value can be taken out") {
    Result<std::unique_ptr<int>> result = std::make_unique<int>(5);

    const auto taken = std::move(result).value();

    CHECK(*taken == 5);
  }

  TEST_CASE("value_or gives the other value for an error alone") {
    CHECK(parse_digit('7').value_or(1) == 7);
    CHECK(parse_digit('x').value_or(1) == 1);
  }
}

}  // namespace
}  // namespace ecp
