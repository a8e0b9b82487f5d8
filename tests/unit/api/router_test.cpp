// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/access/reasons.hpp>
#include <ecp/api/endpoint.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/api/router.hpp>

using namespace ecp;

namespace {

constexpr access::Permission look{"thing.view", access::ScopeLevel::project, "Look."};

/// A router whose user "good" exists and has no rights anywhere.
struct Desk {
  ManualEnv world;
  std::vector<access::Scope> asked;  ///< Scopes that grants were asked for.
  int handled = 0;
  api::Router router{[](std::string_view token) -> Result<access::Principal> {
                       if (token != "good") return api::reasons::token_missing;
                       return access::Principal{};
                     },
                     [this](const access::Principal&, const access::Scope& scope,
                            const access::Origin&) -> Result<access::Grant> {
                       asked.push_back(scope);
                       return access::reasons::no_such_scope;
                     },
                     world.env(), options()};

  static api::RouterOptions options() { return {{"https://console.example.com"}, true, {}}; }

  Desk() {
    const auto answer = [this](const http::Request& request) -> Result<http::Response> {
      ++handled;
      return api::json_response(200, "\"" + std::string(request.parameter("name")) + "\"");
    };
    const auto never = [this](const http::Request&,
                              const access::Grant&) -> Result<http::Response> {
      ++handled;
      return api::empty_response();
    };
    router.add_public({http::Method::get, "/", answer});
    router.add_public({http::Method::get, "/things/:name", answer});
    router.add_public({http::Method::post, "/things/:name", answer});
    router.add_public({http::Method::get, "/things/special", answer});
    router.add_public(
        {http::Method::get, "/broken", [](const http::Request&) -> Result<http::Response> {
           throw std::runtime_error("vendor");
         }});
    router.add({http::Method::get, "/api/v1/orgs/:org/projects/:project/things", &look, never});
    router.add({http::Method::del, "/api/v1/mine", nullptr, never});
  }

  http::Response call(http::Method method, std::string path, std::string body = {},
                      std::vector<std::pair<std::string, std::string>> fields = {}) {
    http::Request request;
    request.method = method;
    request.path = std::move(path);
    request.body = std::move(body);
    request.headers.add("Host", "ecp.example.com:8443");
    for (auto& [name, value] : fields) request.headers.add(name, value);
    return router.dispatch(std::move(request));
  }
};

const std::pair<std::string, std::string> json_type{"Content-Type", "application/json"};
const std::pair<std::string, std::string> log_in{"Authorization", "Bearer good"};

}  // namespace

TEST_SUITE("api.Router") {
  TEST_CASE("a parameter stands for one segment and a literal segment wins over it") {
    Desk desk;
    CHECK(desk.call(http::Method::get, "/things/a").body == "\"a\"");
    CHECK(desk.call(http::Method::get, "/things/special").body == "\"\"");
    CHECK(desk.call(http::Method::get, "/").status == 200);
    for (const char* path : {"/things", "/things/", "/things/a/", "/things/a/b", "/Things/a", "",
                             "/api/v1/orgs/x/projects/y"}) {
      CAPTURE(path);
      CHECK(desk.call(http::Method::get, path).status == 404);
    }
  }

  TEST_CASE("[R13] a known path with another method is 405 and names those that are possible") {
    Desk desk;
    for (const auto method : {http::Method::put, http::Method::patch, http::Method::del,
                              http::Method::options, http::Method::head}) {
      const auto response = desk.call(method, "/things/a");
      CHECK(response.status == 405);
      CHECK(response.headers.find("Allow") == "GET, POST");
    }
    CHECK(desk.handled == 0);
  }

  TEST_CASE("[R13] without a good token nothing but a public endpoint answers") {
    Desk desk;
    for (const char* field : {"", "Bearer", "Bearer ", "Bearer bad", "Basic good", "good"}) {
      const auto response =
          desk.call(http::Method::del, "/api/v1/mine", {}, {{"Authorization", field}});
      CHECK(response.status == 401);
      CHECK(response.headers.find("WWW-Authenticate") == "Bearer");
    }
    CHECK(desk.handled == 0);
    CHECK(desk.asked.empty());
  }

  TEST_CASE("[R12] an unknown, a foreign and a malformed scope get the same answer") {
    Desk desk;
    const auto org = access::OrganizationId(IdBytes{1}).to_string();
    const auto project = access::ProjectId(IdBytes{2}).to_string();
    const auto known =
        desk.call(http::Method::get, "/api/v1/orgs/" + org + "/projects/" + project + "/things", {},
                  {log_in});
    const auto malformed =
        desk.call(http::Method::get, "/api/v1/orgs/x/projects/y/things", {}, {log_in});
    CHECK(known.status == 404);
    CHECK(known.body == malformed.body);
    CHECK(known.headers.all().size() == malformed.headers.all().size());
    REQUIRE(desk.asked.size() == 2);
    CHECK(desk.asked[0].organization.to_string() == org);
    CHECK(desk.asked[0].project.to_string() == project);
    CHECK_FALSE(desk.asked[1].organization.is_nil());
    CHECK_FALSE(desk.asked[1].project.is_nil());
    CHECK(desk.handled == 0);
  }

  TEST_CASE("[R08] a change that comes from a page of another origin is 403") {
    Desk desk;
    for (const char* origin : {"https://evil.example.com", "null", "https://ecp.example.com",
                               "https://ecp.example.com:8443.evil.example.com", "",
                               "https://evil@ecp.example.com:8443"}) {
      CAPTURE(origin);
      const auto response =
          desk.call(http::Method::post, "/things/a", "{}", {json_type, {"Origin", origin}});
      CHECK(response.status == 403);
    }
    CHECK(desk.call(http::Method::post, "/things/a", "{}",
                    {json_type, {"Sec-Fetch-Site", "cross-site"}})
              .status == 403);
    CHECK(desk.handled == 0);
    for (const char* origin : {"https://ecp.example.com:8443", "https://console.example.com"}) {
      CHECK(desk.call(http::Method::post, "/things/a", "{}", {json_type, {"Origin", origin}})
                .status == 200);
    }
    CHECK(desk.call(http::Method::get, "/things/a", {}, {{"Origin", "https://evil.example.com"}})
              .status == 200);
  }

  TEST_CASE("[R08] a body that is not JSON is 415") {
    Desk desk;
    for (const char* type : {"text/plain", "application/x-www-form-urlencoded",
                             "multipart/form-data; boundary=x", "application/jsonx", ""}) {
      CAPTURE(type);
      CHECK(desk.call(http::Method::post, "/things/a", "{}", {{"Content-Type", type}}).status ==
            415);
    }
    CHECK(desk.call(http::Method::post, "/things/a", "{}").status == 415);
    CHECK(desk.call(http::Method::post, "/things/a", "",
                    {{"Content-Type", "application/x-www-form-urlencoded"}})
              .status == 415);
    CHECK(desk.handled == 0);
    CHECK(desk.call(http::Method::post, "/things/a", "").status == 200);
    CHECK(desk.call(http::Method::post, "/things/a", "{}",
                    {{"Content-Type", "Application/JSON; charset=utf-8"}})
              .status == 200);
  }

  TEST_CASE("[R23] a body over the limit is 413 even when the server let it through") {
    Desk desk;
    CHECK(desk.call(http::Method::post, "/things/a", std::string(limits::http_body + 1, ' '),
                    {json_type})
              .status == 413);
  }

  TEST_CASE("every answer, good or bad, carries security fields and a request id") {
    Desk desk;
    for (const char* path : {"/", "/nowhere", "/api/v1/mine", "/broken"}) {
      const auto response = desk.call(http::Method::get, path);
      CHECK(response.headers.find("X-Content-Type-Options") == "nosniff");
      CHECK(response.headers.find("Content-Security-Policy") ==
            "default-src 'none'; frame-ancestors 'none'");
      CHECK(response.headers.find("Cache-Control") == "no-store");
      CHECK(response.headers.find("Strict-Transport-Security").has_value());
      CHECK(response.headers.find("X-Request-Id").value_or("").size() == 16);
    }
  }

  TEST_CASE("what a vendor throws in a handler is a 500 without its words") {
    Desk desk;
    const auto response = desk.call(http::Method::get, "/broken");
    CHECK(response.status == 500);
    CHECK(response.body.find("vendor") == std::string::npos);
    CHECK(desk.world.log.contains("vendor"));
  }

  TEST_CASE("[R36] neither query nor token of a request is logged") {
    Desk desk;
    http::Request request;
    request.path = "/things/a";
    request.query = "code=canary-1";
    request.headers.add("Authorization", "Bearer canary-2");
    request.headers.add("Cookie", "canary-3");
    request.body = "canary-4";
    CHECK(desk.router.dispatch(request).status == 200);
    CHECK(desk.world.log.contains("path=/things/a"));
    CHECK_FALSE(desk.world.log.contains("canary"));
  }

  TEST_CASE("the table tells its rows in the order they were added") {
    Desk desk;
    const auto rows = desk.router.endpoints();
    REQUIRE(rows.size() == 7);
    CHECK(rows[0].is_public);
    CHECK(rows[5].path == "/api/v1/orgs/:org/projects/:project/things");
    CHECK(rows[5].permission == &look);
    CHECK_FALSE(rows[6].is_public);
    CHECK(rows[6].permission == nullptr);
  }
}
