// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/error.hpp>
#include <ecp/core/reasons.hpp>
#include <set>

namespace ecp {
namespace {

constexpr Reason taken{100'001, "press.taken", ErrorCode::already_exists,
                       "the {noun} {name} is taken by {name}"};

TEST_SUITE("core.Error") {
  TEST_CASE("a message holds the values in every place of the reason's text") {
    const Error error(taken, {{"noun", "press"}, {"name", "p-7"}}, "context");

    CHECK(error.message() == "the press p-7 is taken by p-7");
  }

  TEST_CASE("a value that looks like a place is not replaced again") {
    const Error error(taken, {{"noun", "{name}"}, {"name", "{noun}"}});

    CHECK(error.message() == "the {name} {noun} is taken by {noun}");
  }

  TEST_CASE("a missing value leaves its place visible") {
    CHECK(Error(taken, {{"noun", "press"}}).message() == "the press {name} is taken by {name}");
  }

  TEST_CASE("an unclosed place in a text is shown as it is") {
    constexpr Reason broken{100'002, "press.broken", ErrorCode::internal, "a {noun} and {rest"};

    CHECK(Error(broken, {{"noun", "x"}}).message() == "a x and {rest");
  }

  TEST_CASE("a description is one line with symbol, message and context") {
    auto error = Error(taken, {{"noun", "a\nb"}, {"name", "n"}}).within("inner").within("outer");

    CHECK(error.describe() == "press.taken: the a b n is taken by n (outer: inner)");
    CHECK(Error(reasons::internal).describe().find('(') == std::string::npos);
  }

  TEST_CASE("an error is told apart by its reason's number") {
    const Error error(taken);

    CHECK(error.is(taken));
    CHECK_FALSE(error.is(reasons::internal));
    CHECK(error.code() == ErrorCode::already_exists);
  }

  TEST_CASE("every class has a name of its own and four of them may be tried again") {
    std::set<std::string_view> names;
    int retryable = 0;
    for (int i = 0; i <= static_cast<int>(ErrorCode::timeout); ++i) {
      names.insert(to_string(static_cast<ErrorCode>(i)));
      retryable += is_retryable(static_cast<ErrorCode>(i)) ? 1 : 0;
    }

    CHECK(names.size() == 14);
    CHECK(retryable == 4);
    CHECK(is_retryable(ErrorCode::unavailable));
    CHECK_FALSE(is_retryable(ErrorCode::invalid_argument));
  }
}

TEST_SUITE("core.ReasonCatalogue") {
  TEST_CASE("the catalogue holds core's reasons and sorts those of others in") {
    ReasonCatalogue catalogue;
    constexpr Reason early{1, "early.bird", ErrorCode::internal, "early"};
    const std::array<const Reason*, 2> own{&taken, &early};
    catalogue.add(own);

    REQUIRE(catalogue.all().size() == reasons::core_catalogue.size() + 2);
    CHECK(catalogue.all().front() == &early);
    CHECK(catalogue.all().back() == &taken);
  }

  TEST_CASE("core's reasons keep to their numbers and their symbols to the module") {
    for (const Reason* reason : reasons::core_catalogue) {
      CHECK(reason->number >= 1000);
      CHECK(reason->number < 1100);
      CHECK(reason->symbol.starts_with("core."));
    }
  }
}

}  // namespace
}  // namespace ecp
