// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/secret.hpp>
#include <string>
#include <type_traits>
#include <utility>

namespace ecp {
namespace {

TEST_SUITE("core.Secret") {
  TEST_CASE("a secret holds its text, also one longer than a page") {
    const std::string text(10'000, 'x');

    CHECK(Secret("pass").view() == "pass");
    CHECK(Secret(text).view() == text);
    CHECK(Secret().empty());
    CHECK(Secret("").view().empty());
  }

  TEST_CASE("moving leaves nothing behind and a clone is a second one") {
    Secret first("pass");
    const Secret copy = first.clone();
    Secret second(std::move(first));
    Secret third;
    third = std::move(second);

    CHECK(first.empty());
    CHECK(third.view() == "pass");
    CHECK(copy.view() == "pass");
    CHECK(copy.view().data() != third.view().data());
  }

  TEST_CASE("secrets are compared by equals alone and cannot be copied by mistake") {
    CHECK(Secret("pass").equals("pass"));
    CHECK_FALSE(Secret("pass").equals("past"));
    CHECK_FALSE(Secret("pass").equals("pas"));
    CHECK(Secret().equals(""));
    CHECK_FALSE(std::is_copy_constructible_v<Secret>);
    CHECK_FALSE(std::is_copy_assignable_v<Secret>);
  }
}

}  // namespace
}  // namespace ecp
