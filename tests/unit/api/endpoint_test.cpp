// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/api/endpoint.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/http/reasons.hpp>

using namespace ecp;

namespace {

http::Request with_query(std::string query) {
  http::Request request;
  request.query = std::move(query);
  return request;
}

http::Request with_field(std::string name, std::string value) {
  http::Request request;
  request.headers.add(std::move(name), std::move(value));
  return request;
}

}  // namespace

TEST_SUITE("api.endpoint") {
  TEST_CASE("a page is read from the query and bounded") {
    CHECK(api::page_from(with_query("")).value().limit == 50);
    const auto page = api::page_from(with_query("limit=200&offset=7")).value();
    CHECK(page.limit == 200);
    CHECK(page.offset == 7);
    for (const char* query :
         {"limit=0", "limit=201", "limit=-1", "limit=x", "limit=", "limit=1x", "offset=-1",
          "offset=1000001", "limit=99999999999999999999", "sort=name", "Limit=1"}) {
      CAPTURE(query);
      const auto refused = api::page_from(with_query(query));
      REQUIRE_FALSE(refused.has_value());
      CHECK(refused.error().is(api::reasons::bad_query));
    }
    CHECK(api::page_from(with_query("state=active"), {"state"}).has_value());
  }

  TEST_CASE("a query parameter given twice is refused") {
    CHECK(api::only_queries(with_query("a=1"), {"a"}).has_value());
    CHECK_FALSE(api::only_queries(with_query("a=1&a=2"), {"a"}).has_value());
  }

  TEST_CASE("a time in a query is RFC 3339") {
    CHECK(api::query_time(with_query("from=2026-01-31T12:00:00Z"), "from").value().has_value());
    CHECK_FALSE(api::query_time(with_query(""), "from").value().has_value());
    CHECK_FALSE(api::query_time(with_query("from=yesterday"), "from").has_value());
  }

  TEST_CASE("If-Match is one strong tag of a revision") {
    CHECK(to_number(api::if_match(with_field("If-Match", "\"12\"")).value()) == 12);
    CHECK(api::etag(static_cast<Revision>(12)) == "\"12\"");
    CHECK(api::if_match(with_field("If-Match", "\"0\"")).value() == Revision::none);
    for (const char* value :
         {"12", "\"\"", "*", "\"x\"", "W/\"12\"", "\"1\", \"2\"", "\"-1\"", "\"12"}) {
      CAPTURE(value);
      CHECK_FALSE(api::if_match(with_field("If-Match", value)).has_value());
    }
    CHECK(api::if_match({}).error().is(api::reasons::if_match_missing));
  }

  TEST_CASE("[R12] a malformed id in a path becomes one that no record has") {
    http::Request request;
    for (const char* text : {"x", "org_", "prj_00000000000000000000000000",
                             "org_00000000000000000000000000", "org_zzzz"}) {
      request.parameters = {{"org", text}};
      CHECK(api::scope_of(request).organization == access::OrganizationId(api::unknown_id));
    }
    const access::OrganizationId known(IdBytes{1, 2, 3});
    request.parameters = {{"org", known.to_string()}};
    CHECK(api::scope_of(request).organization == known);
    CHECK(api::scope_of({}) == access::Scope::platform());
  }

  TEST_CASE("a bearer token is read whatever the case of its scheme") {
    CHECK(api::bearer_token(with_field("Authorization", "bearer abc")) == "abc");
    CHECK(api::bearer_token(with_field("Authorization", "Basic abc")).empty());
    CHECK(api::bearer_token(with_field("Authorization", "Bearer")).empty());
    CHECK(api::bearer_token({}).empty());
  }

  TEST_CASE("where a request came from is kept as an IPv6 address") {
    http::Request request;
    request.remote_address = "127.0.0.1";
    request.request_id = "00000000000000ff";
    CHECK(api::origin_of(request).request_number == 255);
    CHECK(api::origin_of(request).remote[12] == 127);
    CHECK(api::origin_of(request).remote[10] == 0xff);
    request.remote_address = "::1";
    CHECK(api::origin_of(request).remote[15] == 1);
  }

  TEST_CASE("each class of failure has its status, and the HTTP layer's own reasons theirs") {
    CHECK(api::http_status(reasons::bad_field) == 400);
    CHECK(api::http_status(api::reasons::token_missing) == 401);
    CHECK(api::http_status(api::reasons::foreign_origin) == 403);
    CHECK(api::http_status(reasons::not_found) == 404);
    CHECK(api::http_status(http::reasons::method_not_allowed) == 405);
    CHECK(api::http_status(http::reasons::request_timeout) == 408);
    CHECK(api::http_status(reasons::name_taken) == 409);
    CHECK(api::http_status(reasons::stale_revision) == 409);
    CHECK(api::http_status(http::reasons::body_too_large) == 413);
    CHECK(api::http_status(http::reasons::target_too_long) == 414);
    CHECK(api::http_status(http::reasons::unsupported_media_type) == 415);
    CHECK(api::http_status(reasons::unsafe_file) == 422);
    CHECK(api::http_status(reasons::over_limit) == 429);
    CHECK(api::http_status(http::reasons::header_too_large) == 431);
    CHECK(api::http_status(reasons::internal) == 500);
    CHECK(api::http_status(reasons::damaged) == 500);
    CHECK(api::http_status(http::reasons::unknown_method) == 501);
    CHECK(api::http_status(reasons::unavailable) == 503);
    CHECK(api::http_status(reasons::timeout) == 504);
  }

  TEST_CASE("an answer that says when to come back says it in its head, too") {
    const auto response = api::error_response(
        Error(reasons::over_limit, {{"what", "x"}, {"limit", "1"}, {"retry_after_s", "30"}}));
    CHECK(response.headers.find("Retry-After") == "30");
    CHECK(api::error_response(api::reasons::token_missing).headers.find("WWW-Authenticate") ==
          "Bearer");
  }
}
