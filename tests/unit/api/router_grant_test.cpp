// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/api/endpoint.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/api/router.hpp>
#include <ecp/core/reasons.hpp>

#include <map>

#include "unit/api/rights.hpp"

using namespace ecp;

namespace {

namespace permissions = access::permissions;

const std::string place = "/api/v1/orgs/" + access::OrganizationId(IdBytes{1}).to_string() +
                          "/projects/" + access::ProjectId(IdBytes{2}).to_string() + "/things";

/// A router with one guarded path, its answers counted, and keys remembered in a map.
struct Desk {
  ManualEnv world;
  ecp_test::Rights rights{world.env()};
  std::map<std::string, std::string> kept;
  int handled = 0;
  int status = 201;
  api::Router router{
      [](std::string_view) -> Result<access::Principal> { return access::Principal{}; },
      [this](const access::Principal&, const access::Scope& scope, const access::Origin&) {
        return rights.grant(scope);
      },
      world.env(), options()};

  api::RouterOptions options() {
    api::RouterOptions made;
    made.once = [this](const IdBytes&, std::string_view key, std::string_view hash,
                       const std::function<std::string(bool&)>& answer) -> Result<std::string> {
      const auto name = std::string(key) + std::string(hash);
      if (const auto found = kept.find(name); found != kept.end()) return found->second;
      bool keep = false;
      auto text = answer(keep);
      if (keep) kept[name] = text;
      return text;
    };
    return made;
  }

  Desk() {
    const auto handler = [this](const http::Request&,
                                const access::Grant& grant) -> Result<http::Response> {
      ++handled;
      if (status >= 500) return reasons::internal;
      CHECK(grant.scope().level() == access::ScopeLevel::project);
      return api::json_response(status, R"({"n":)" + std::to_string(handled) + ",\n\n\"x\":0}",
                                static_cast<Revision>(handled));
    };
    const std::string path = "/api/v1/orgs/:org/projects/:project/things";
    router.add({http::Method::get, path, &permissions::edge_node_view, handler});
    router.add({http::Method::post, path, &permissions::edge_node_edit, handler});
  }

  http::Response call(http::Method method, const std::string& key = {},
                      const std::string& body = {}) {
    http::Request request;
    request.method = method;
    request.path = place;
    request.body = body;
    request.headers.add("Authorization", "Bearer t");
    request.headers.add("Content-Type", "application/json");
    if (!key.empty()) request.headers.add("Idempotency-Key", key);
    return router.dispatch(std::move(request));
  }
};

}  // namespace

TEST_SUITE("api.Router with grants") {
  TEST_CASE("[R13] a row's permission is asked for in the path's scope before its handler runs") {
    Desk desk;
    CHECK(desk.call(http::Method::get).status == 201);
    desk.rights.allowed = false;
    CHECK(desk.call(http::Method::get).status == 404);
    CHECK(desk.call(http::Method::post).status == 404);
    CHECK(desk.handled == 1);
    CHECK(desk.rights.denials == std::vector<std::string>{"edge_node.view", "edge_node.edit"});
  }

  TEST_CASE("a repeated POST with the same key gets the first answer and changes nothing") {
    Desk desk;
    const auto first = desk.call(http::Method::post, "key-1", "{}");
    const auto second = desk.call(http::Method::post, "key-1", "{}");
    CHECK(desk.handled == 1);
    CHECK(second.status == 201);
    CHECK(second.body == first.body);
    CHECK(second.headers.find("ETag") == "\"1\"");
    CHECK(second.headers.find("Content-Type") == "application/json");
    desk.call(http::Method::post, "key-2", "{}");
    desk.call(http::Method::post);
    desk.call(http::Method::get, "key-1");
    CHECK(desk.handled == 4);
  }

  TEST_CASE("a failure is not kept under its key") {
    Desk desk;
    desk.status = 500;
    CHECK(desk.call(http::Method::post, "key", "{}").status == 500);
    desk.status = 201;
    CHECK(desk.call(http::Method::post, "key", "{}").status == 201);
    CHECK(desk.handled == 2);
  }

  TEST_CASE("[R12] a kept answer is only for whoever still has the right") {
    Desk desk;
    desk.call(http::Method::post, "key", "{}");
    desk.rights.allowed = false;
    CHECK(desk.call(http::Method::post, "key", "{}").status == 404);
  }

  TEST_CASE("[R23] a key that is too long or not printable is refused") {
    Desk desk;
    for (const std::string& key :
         {std::string(limits::idempotency_key + 1, 'k'), std::string("a b"), std::string("\x80")}) {
      CHECK(desk.call(http::Method::post, key, "{}").status == 400);
    }
    CHECK(desk.handled == 0);
  }
}
