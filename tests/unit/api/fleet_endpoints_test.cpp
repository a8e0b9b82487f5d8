// SPDX-License-Identifier: Apache-2.0
#include <ecp/api/v1/fleet_endpoints.hpp>

#include <doctest/doctest.h>

#include "unit/fleet/world.hpp"

using namespace fleet_test;  // NOLINT

namespace {

using http::Method;

/// What came back, its body read.
struct Answer {
  explicit Answer(http::Response response)
      : status(response.status),
        etag(response.headers.find("ETag").value_or("")),
        retry_after(response.headers.find("Retry-After").value_or("")),
        text(std::move(response.body)) {}
  /// A text member; "" when there is none.
  [[nodiscard]] std::string operator[](std::string_view name) const {
    const auto document = must(json::Document::parse(text));
    const auto value = document.root().find(name);
    return value && value->is_string() ? std::string(value->get_string()) : std::string();
  }
  [[nodiscard]] bool has(std::string_view part) const {
    return text.find(part) != std::string::npos;
  }
  int status;
  std::string etag;
  std::string retry_after;
  std::string text;
};

/// A router with fleet's endpoints over real registries; whoever has a token may do everything.
struct Desk {
  Desk() {
    api::add_edge_node_endpoints(router, world.plane->nodes);
    api::add_edge_service_endpoints(router, world.plane->services);
    api::add_value_endpoints(router, world.plane->services);
    api::add_command_endpoints(router, world.plane->services);
    api::add_enrollment_endpoints(router, tokens);
    api::add_agent_link_endpoints(router, enrollment, world.plane->desired);
  }
  Answer call(Method method, const std::string& target, std::string body = {},
              const std::string& if_match = {}) {
    return send(request_of(method, target, std::move(body), if_match));
  }
  Answer send(http::Request request) {
    auto response = router.dispatch(std::move(request));
    world.run();
    return Answer(std::move(response));
  }
  static http::Request request_of(Method method, const std::string& target, std::string body = {},
                                  const std::string& if_match = {}) {
    http::Request request;
    request.method = method;
    const auto query = std::min(target.find('?'), target.size());
    request.path = target.substr(0, query);
    if (query < target.size()) request.query = target.substr(query + 1);
    request.body = std::move(body);
    request.headers.add("Host", "ecp.example.com");
    request.headers.add("Authorization", "Bearer anything");
    if (!request.body.empty()) request.headers.add("Content-Type", "application/json");
    if (!if_match.empty()) request.headers.add("If-Match", if_match);
    request.remote_address = "192.0.2.7";
    return request;
  }
  std::string create_service(EdgeNodeId node) {
    return call(Method::post, project + "/edgeservices",
                R"({"name":"furnace","node":")" + node.to_string() +
                    R"(","kind":"pipeline","runtime":"builtin","config":)" + furnace_config +
                    "}")["id"];
  }
  Answer enroll(const std::string& token, const Secret& key, const std::string& name) {
    json::Writer writer;
    writer.begin_object().field("token", token).field("csr", must(pki::make_csr(key, "x")));
    writer.field("name", name).end_object();
    return call(Method::post, "/agent/v1/enroll", writer.take());
  }

  World world;
  pki::Authority authority = must(pki::Authority::create("test", world.env()));
  EnrollmentTokenRegistry tokens{*world.store, "system", world.recorder, world.env()};
  Enrollment enrollment{
      {*world.store, authority, world.key, world.recorder}, with_defaults(), world.env()};
  std::string project = "/api/v1/orgs/" + world.scope.organization.to_string() + "/projects/" +
                        world.scope.project.to_string();
  api::Router router{[](std::string_view) -> Result<access::Principal> {
                       return access::Principal{access::PrincipalKind::user, {1}, "session"};
                     },
                     [this](const access::Principal&, const access::Scope& scope,
                            const access::Origin&) -> Result<access::Grant> {
                       return world.authorizer.system("test", scope);
                     },
                     world.env()};

 private:
  static EnrollmentOptions with_defaults() {
    EnrollmentOptions made;
    made.link = [] { return link::LinkDocument{}; };
    return made;
  }
};

}  // namespace

TEST_SUITE("api.fleet_endpoints") {
  TEST_CASE("a token is shown once, enrolls one machine and refuses the next with 409") {
    Desk desk;
    const auto made =
        desk.call(Method::post, desk.project + "/enrollment-tokens", R"({"name":"line 1"})");
    CHECK(made.status == 201);
    const auto token = made["token"];
    CHECK_FALSE(desk.call(Method::get, desk.project + "/enrollment-tokens").has(token));
    const auto enrolled = desk.enroll(token, must(pki::make_p256_key()), "press");
    CHECK(enrolled.status == 201);
    CHECK(enrolled["agent"].substr(0, 5) == "node_");
    const auto second = desk.enroll(token, must(pki::make_p256_key()), "thief");
    CHECK(second.status == 409);
    CHECK(second["reason"] == "enrollment.token_used");
    CHECK(desk.enroll("ecpt_x", must(pki::make_p256_key()), "x").status == 401);
    CHECK(desk.call(Method::get, desk.project + "/edgenodes?state=never").has("press"));
  }

  TEST_CASE("who is refused too often is told with 429 when to come back") {
    Desk desk;
    const auto key = must(pki::make_p256_key());
    for (int i = 0; i < 10; ++i) CHECK(desk.enroll("ecpt_x", key, "x").status == 401);
    const auto refused = desk.enroll("ecpt_x", key, "x");
    CHECK(refused.status == 429);
    CHECK(refused.retry_after == "60");
  }

  TEST_CASE("a node is renamed with its tag, and a stale tag is refused") {
    Desk desk;
    const auto path = desk.project + "/edgenodes/" + desk.world.add_node("press").id.to_string();
    const auto found = desk.call(Method::get, path);
    CHECK(found.status == 200);
    CHECK(found.etag == "\"1\"");
    CHECK(desk.call(Method::patch, path, R"({"name":"saw"})").status == 400);
    CHECK(desk.call(Method::patch, path, R"({"name":"saw"})", found.etag)["name"] == "saw");
    CHECK(desk.call(Method::patch, path, R"({"name":"oven"})", found.etag).status == 409);
    CHECK(desk.call(Method::del, path, {}, "\"2\"").status == 204);
    CHECK(desk.call(Method::get, path).status == 404);
  }

  TEST_CASE("[R12] an unknown, a foreign and a malformed id are answered alike") {
    Desk desk;
    const auto unknown =
        desk.call(Method::get, desk.project + "/edgenodes/" +
                                   desk.world.env_.ids.next<EdgeNodeId>().to_string());
    const auto malformed = desk.call(Method::get, desk.project + "/edgenodes/x");
    CHECK(unknown.status == 404);
    CHECK(malformed.text == unknown.text);
  }

  TEST_CASE("[R14] a field that nobody knows is refused, and so is a bad configuration") {
    Desk desk;
    const auto node = desk.world.add_node("press").id.to_string();
    const auto extra = desk.call(Method::post, desk.project + "/edgeservices",
                                 R"({"name":"f","node":")" + node +
                                     R"(","kind":"pipeline","runtime":"builtin","config":)" +
                                     furnace_config + R"(,"created_at":"x"})");
    CHECK(extra.status == 400);
    CHECK(extra.has("created_at"));
    const auto bad = desk.call(Method::post, desk.project + "/edgeservices",
                               R"({"name":"f","node":")" + node +
                                   R"(","kind":"pipeline","runtime":"builtin","config":{"a":1}})");
    CHECK(bad.status == 400);
  }

  TEST_CASE("a service has values, a chart and samples of what its agent sent") {
    Desk desk;
    const auto node = desk.world.add_node("press").id;
    Agent agent(desk.world, node);
    const auto id = desk.create_service(node);
    const auto path = desk.project + "/edgeservices/" + id;
    agent.telemetry(must(EdgeServiceId::parse(id)), 1, 10);
    const auto values = desk.call(Method::get, path + "/values");
    CHECK(values.status == 200);
    CHECK(values.has(R"("tag":"plc/fast/temperature")"));
    CHECK(values.has(R"("value":10,)"));
    const auto stretch =
        "?tag=plc%2Ffast%2Ftemperature&from=" + to_rfc3339(desk.world.now() - 60 * second) +
        "&to=" + to_rfc3339(desk.world.now() + second);
    CHECK(desk.call(Method::get, path + "/history" + stretch + "&points=1").has(R"("count":10)"));
    CHECK(desk.call(Method::get, path + "/samples" + stretch + "&limit=3").has(R"("value":3,)"));
    CHECK(desk.call(Method::get, path + "/history?tag=x").status == 400);
    CHECK(desk.call(Method::get, path + "/history" + stretch + "&points=0").status == 400);
    CHECK(desk.call(Method::get, path)["config_state"] == "pending");
  }

  TEST_CASE("a write is taken with 202 and its command tells the outcome") {
    Desk desk;
    const auto node = desk.world.add_node("press").id;
    Agent agent(desk.world, node);
    const auto path = desk.project + "/edgeservices/" + desk.create_service(node);
    const auto taken =
        desk.call(Method::post, path + "/writes", R"({"tag":"plc/fast/setpoint","value":450.5})");
    CHECK(taken.status == 202);
    CHECK(taken["state"] == "pending");
    CHECK(agent.commands.size() == 1);
    CHECK(desk.call(Method::get, desk.project + "/commands/" + taken["id"])["action"] == "write");
    CHECK(desk.call(Method::get, desk.project + "/commands").has(R"("total":1)"));
    for (const auto* body :
         {R"({"tag":"plc/fast/setpoint","value":[1]})", R"({"tag":"plc/fast/setpoint"})",
          R"({"tag":"plc/fast/setpoint","value":1,"expires_in_s":0})", "{", ""}) {
      CHECK(desk.call(Method::post, path + "/writes", body).status == 400);
    }
    CHECK(desk.call(Method::post, path + "/writes", R"({"tag":"a/b/c","value":1})").status == 404);
    CHECK(desk.call(Method::post, path + "/commands", R"({"action":"stop"})").status == 202);
    CHECK(desk.call(Method::post, path + "/commands", R"({"action":"melt"})").status == 400);
  }

  TEST_CASE("several data tags are written by one command") {
    Desk desk;
    const auto node = desk.world.add_node("press").id;
    Agent agent(desk.world, node);
    const auto path = desk.project + "/edgeservices/" + desk.create_service(node) + "/writes";

    const auto taken =
        desk.call(Method::post, path, R"({"writes":[{"tag":"plc/fast/setpoint","value":450.5}]})");

    CHECK(taken.status == 202);
    CHECK(taken["action"] == "write_tags");
    CHECK(taken.has(R"("writes":[{"tag":"plc/fast/setpoint","value":450.5}],"results":[])"));
    REQUIRE(agent.commands.size() == 1);
    CHECK(agent.commands[0].writes.size() == 1);
    const std::string one = R"({"tag":"plc/fast/setpoint","value":1})";
    for (const auto& body :
         {std::string(R"({"writes":[]})"), R"({"writes":[)" + one + "," + one + "]}",
          R"({"writes":[)" + one + R"(],"tag":"plc/fast/setpoint","value":1})",
          std::string(R"({"writes":[{"tag":"plc/fast/setpoint"}]})")}) {
      CAPTURE(body);
      CHECK(desk.call(Method::post, path, body).status == 400);
    }
    CHECK(desk.call(Method::post, path, R"({"writes":[{"tag":"a/b/c","value":1}]})").status == 404);
  }

  TEST_CASE("what is for agents needs the certificate that enrollment gave") {
    Desk desk;
    const auto token =
        desk.call(Method::post, desk.project + "/enrollment-tokens", R"({"name":"a"})")["token"];
    const auto enrolled = desk.enroll(token, must(pki::make_p256_key()), "press");
    CHECK(desk.call(Method::get, "/agent/v1/link").status == 401);
    auto request = Desk::request_of(Method::get, "/agent/v1/link");
    request.client_name = enrolled["agent"];
    const auto pem = enrolled["certificate_chain_pem"];
    const auto begin = pem.find('\n') + 1;
    auto text = pem.substr(begin, pem.find("-----END") - begin);
    text.erase(std::remove(text.begin(), text.end(), '\n'), text.end());
    request.client_certificate = must(from_base64(text));
    CHECK(desk.send(request)["agent"] == enrolled["agent"]);
    must(desk.world.plane->nodes.revoke(desk.world.grant(),
                                        must(EdgeNodeId::parse(enrolled["agent"]))));
    CHECK(desk.send(request).status == 403);
    CHECK(desk.call(Method::get, "/agent/v1/nonce").status == 200);
  }
}
