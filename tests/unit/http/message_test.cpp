// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/reasons.hpp>
#include <ecp/http/answer.hpp>
#include <ecp/http/message.hpp>
#include <ecp/http/reasons.hpp>

#include <set>

using namespace ecp;

TEST_SUITE("http.Request") {
  TEST_CASE("header names are found whatever their case, and set replaces all of a name") {
    http::Headers headers;
    headers.add("Content-Type", "a");
    headers.add("content-type", "b");
    CHECK(headers.find("CONTENT-TYPE") == "a");

    headers.set("Content-type", "c");

    CHECK(headers.all().size() == 1);
    CHECK(headers.find("content-type") == "c");
    CHECK_FALSE(headers.find("content").has_value());
  }

  TEST_CASE("query values are decoded once and the first of a name counts") {
    http::Request request;
    request.query = "tag=a%2526b&tag=c&empty=&flag&a+b=c+d";
    CHECK(request.query_value("tag").value() == "a%26b");
    CHECK(request.query_value("empty").value() == "");
    CHECK(request.query_value("flag").value() == "");
    CHECK(request.query_value("a b").value() == "c d");
    CHECK_FALSE(request.query_value("none").value().has_value());
    CHECK(request.query_names() == std::vector<std::string>{"tag", "tag", "empty", "flag", "a b"});
  }

  TEST_CASE("[R24] a broken escape in a query is an error, not a guess") {
    for (const char* query : {"a=%", "a=%1", "a=%zz", "%=a"}) {
      http::Request request;
      request.query = query;
      CHECK(request.query_value("a").error().is(http::reasons::bad_encoding));
    }
  }
}

TEST_SUITE("http.answer") {
  TEST_CASE("an error body carries number, symbol, message and parameters") {
    const Error error(reasons::not_found, {{"noun", "edge \"node\""}}, "secret context");
    CHECK(http::error_body(error) ==
          R"({"code":1008,"reason":"core.not_found","message":"there is no such edge \"node\"",)"
          R"("params":{"noun":"edge \"node\""}})");
  }

  TEST_CASE("an answer's own security fields are kept") {
    http::Headers headers;
    headers.add("content-security-policy", "default-src 'self'");
    http::add_security_fields(headers);
    CHECK(headers.find("Content-Security-Policy") == "default-src 'self'");
    CHECK(headers.find("X-Content-Type-Options") == "nosniff");
    CHECK(headers.find("X-Frame-Options") == "DENY");
  }

  TEST_CASE("every reason of http has its own number and symbol") {
    std::set<int> numbers;
    std::set<std::string_view> symbols;
    for (const Reason* reason : http::reasons::http_catalogue) {
      CHECK(numbers.insert(reason->number).second);
      CHECK(symbols.insert(reason->symbol).second);
    }
  }
}
