// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <set>

#include "unit/api/people_desk.hpp"

using namespace ecp;
using ecp_test::Answer;
using ecp_test::good_password;
using ecp_test::PeopleDesk;

namespace {

std::string named(const std::string& name) { return R"({"name":")" + name + "\"}"; }

std::string membership(const std::string& user, const std::string& role) {
  return R"({"user":")" + user + R"(","role":")" + role + "\"}";
}

/// Two organizations with a project each; one person of every role in the first.
struct Town : PeopleDesk {
  Town() {
    own = found("Own");
    foreign = found("Foreign");
    const auto add = [&](const std::string& role, const std::string& place) {
      const auto email = role + "@own.example.com";
      const auto user = add_user(email, root);
      if (place != own.org) post(own.org + "/members", membership(user, "member"), root);
      post(place + "/members", membership(user, role), root);
      ids[role] = user;
      tokens[role] = log_in(email);
    };
    add("organization_admin", own.org);
    add("project_admin", own.project);
    add("member", own.project);
  }

  struct Place {
    std::string org;
    std::string project;
  };
  Place found(const std::string& name) {
    const auto org = "/api/v1/orgs/" + post("/api/v1/orgs", named(name), root)["id"];
    return {org, org + "/projects/" + post(org + "/projects", named("Hall"), root)["id"]};
  }

  std::string root = admin();
  Place own;
  Place foreign;
  std::map<std::string, std::string> tokens;
  std::map<std::string, std::string> ids;
};

/// The same path with the last letter of its last id changed.
std::string unknown(std::string path) {
  path.back() = path.back() == '0' ? '4' : '0';
  return path;
}

}  // namespace

TEST_SUITE("api.organization_endpoints") {
  TEST_CASE("An organization is made, found, renamed and removed") {
    PeopleDesk desk;
    const auto root = desk.admin();
    const auto made = desk.post("/api/v1/orgs", named("Northern Steel"), root);
    CHECK(made.status == 201);
    CHECK(made.etag == "\"1\"");
    const auto path = "/api/v1/orgs/" + made["id"];
    CHECK(desk.get(path, root).text == made.text);
    CHECK(desk.get("/api/v1/orgs", root).items("name") ==
          std::vector<std::string>{"Northern Steel"});
    CHECK(desk.post("/api/v1/orgs", named("northern steel"), root).status == 409);

    const auto renamed = desk.patch(path, named("Steel"), root, "\"1\"");
    CHECK(renamed.status == 200);
    CHECK(renamed["name"] == "Steel");
    CHECK(renamed.etag == "\"2\"");
    CHECK(desk.patch(path, named("Late"), root, "\"1\"").status == 409);
    CHECK(desk.call(http::Method::patch, path, named("Blind"), root).status == 400);

    CHECK(desk.remove(path, root).status == 400);
    CHECK(desk.remove(path, root, "\"1\"").status == 409);
    CHECK(desk.remove(path, root, "\"2\"").status == 204);
    CHECK(desk.get(path, root).status == 404);
  }

  TEST_CASE("An organization with a project is not removed") {
    Town town;
    const auto& root = town.root;
    CHECK(town.remove(town.own.org, root, "\"1\"").status == 422);
    CHECK(town.remove(town.own.project, root, "\"1\"").status == 204);
    CHECK(town.remove(town.own.org, root, "\"1\"").status == 204);
    CHECK(town.get("/api/v1/session", town.log_in("member@own.example.com")).status == 200);
  }

  TEST_CASE("[R16] Everybody chooses from the organizations and projects he has a place in") {
    Town town;
    CHECK(town.get("/api/v1/orgs", town.root).number("total") == 2);
    for (const auto& [role, token] : town.tokens) {
      CAPTURE(role);
      CHECK(town.get("/api/v1/orgs", token).items("name") == std::vector<std::string>{"Own"});
      CHECK(town.get(town.own.org + "/projects", token).number("total") == 1);
      CHECK(town.get(town.foreign.org + "/projects", token).status == 404);
    }
  }
}

TEST_SUITE("api.member_endpoints") {
  TEST_CASE("Members are listed with their role and taken out again") {
    Town town;
    const auto list = town.get(town.own.project + "/members", town.root);
    CHECK(list.number("total") == 2);
    CHECK(list.items("role") == std::vector<std::string>{"project_admin", "member"});
    CHECK(list.items("email")[1] == "member@own.example.com");

    const auto path = town.own.project + "/members/" + town.ids["member"];
    CHECK(town.remove(path, town.root).status == 204);
    CHECK(town.remove(path, town.root).status == 404);
    CHECK(town.get(town.own.project + "/members", town.root).number("total") == 1);
  }

  TEST_CASE("[R15] What somebody may do ends with his membership, at his next call") {
    Town town;
    const auto log_in = town.post("/api/v1/session", R"({"email":"project_admin@own.example.com",)"
                                                     R"("password":")" +
                                                         good_password + "\"}");
    CHECK(town.get(town.own.project, log_in["access_token"]).status == 200);
    CHECK(town.remove(town.own.org + "/members/" + town.ids["project_admin"], town.root).status ==
          204);
    const auto refusal = town.get(town.own.project, log_in["access_token"]);
    CHECK(refusal.status == 401);
    CHECK(refusal["reason"] == "identity.rights_changed");
    const auto token = town.refresh(log_in["refresh_token"]);
    CHECK(town.get(town.own.project, token).status == 404);
    CHECK(town.get("/api/v1/session", token).document.root().find("roles")->size() == 0);
  }

  TEST_CASE("Nobody gives a role that is above what he may give") {
    Town town;
    const auto user = town.add_user("new@own.example.com", town.root);
    const auto give = [&](const std::string& who, const std::string& place,
                          const std::string& role) {
      return town.post(place + "/members", membership(user, role), town.tokens[who]).status;
    };

    CHECK(give("organization_admin", town.own.org, "organization_admin") == 403);
    CHECK(give("project_admin", town.own.project, "member") == 422);
    CHECK(give("organization_admin", town.own.org, "member") == 201);
    CHECK(give("project_admin", town.own.project, "project_admin") == 403);
    CHECK(give("member", town.own.project, "member") == 403);
    CHECK(give("project_admin", town.own.project, "member") == 201);
    CHECK(give("organization_admin", town.own.project, "project_admin") == 201);
    CHECK(give("organization_admin", town.own.org, "system_admin") == 400);
    CHECK(give("organization_admin", "/api/v1", "system_admin") == 403);
    CHECK(give("organization_admin", town.own.org, "emperor") == 400);
  }

  TEST_CASE("The last system administrator stays") {
    Town town;
    const auto me = town.get("/api/v1/session", town.root);
    const auto id = std::string(me.document.root().find("user")->find("id")->get_string());
    CHECK(town.remove("/api/v1/members/" + id, town.root).status == 422);
    CHECK(town.remove("/api/v1/users/" + id, town.root, "\"1\"").status == 422);
    const auto user = town.add_user("second@example.com", town.root);
    CHECK(town.post("/api/v1/members", membership(user, "system_admin"), town.root).status == 201);
    CHECK(town.get("/api/v1/users", town.log_in("second@example.com")).status == 200);
    CHECK(town.remove("/api/v1/members/" + id, town.root).status == 204);
    CHECK(town.get("/api/v1/users", town.root).status == 401);
    CHECK(town.get("/api/v1/users", town.log_in("ada@example.com")).status == 403);
  }
}

TEST_SUITE("api.people") {
  TEST_CASE("[R12] A foreign id answers exactly like an unknown one, in every role") {
    Town town;
    const std::vector<std::string> below_org{"", "/members", "/projects", "/audit"};
    const std::vector<std::string> below_project{"", "/members", "/audit"};
    const auto check = [&](const std::string& foreign, const std::string& nobody,
                           const std::string& token) {
      CAPTURE(foreign);
      for (const auto method :
           {http::Method::get, http::Method::post, http::Method::patch, http::Method::del}) {
        const auto body = method == http::Method::get || method == http::Method::del ? "" : "{}";
        const auto seen = town.call(method, foreign, body, token, {{"If-Match", "\"1\""}});
        const auto expected = town.call(method, nobody, body, token, {{"If-Match", "\"1\""}});
        CHECK(seen.status == expected.status);
        CHECK(seen.text == expected.text);
        CHECK((seen.status == 404 || seen.status == 405));
      }
    };
    for (const auto& [role, token] : town.tokens) {
      CAPTURE(role);
      for (const auto& rest : below_org) {
        check(town.foreign.org + rest, unknown(town.foreign.org) + rest, token);
      }
      for (const auto& rest : below_project) {
        check(town.foreign.project + rest, unknown(town.foreign.project) + rest, token);
        // The foreign project under one's own organization.
        const auto inside = town.own.org + town.foreign.project.substr(town.foreign.org.size());
        check(inside + rest, unknown(inside) + rest, token);
      }
    }
  }

  TEST_CASE("[R14] A field that is not asked for is refused and nothing changes") {
    Town town;
    for (const std::string field : {"id", "role", "organization", "created_at", "revision"}) {
      const auto more = ",\"" + field + "\":\"x\"}";
      CHECK(town.post("/api/v1/orgs", R"({"name":"X")" + more, town.root).status == 400);
      CHECK(town.patch(town.own.org, R"({"name":"X")" + more, town.root, "\"1\"").status == 400);
      CHECK(town.post(town.own.org + "/projects", R"({"name":"X")" + more, town.root).status ==
            400);
      CHECK(town.post("/api/v1/users",
                      PeopleDesk::person("x@example.com", more.substr(0, more.size() - 1)),
                      town.root)
                .status == 400);
    }
    CHECK(town.get("/api/v1/orgs", town.root).number("total") == 2);
    CHECK(town.get(town.own.org, town.root)["name"] == "Own");
  }

  TEST_CASE("[R13] Each endpoint has a permission, or is one of these") {
    PeopleDesk desk;
    std::set<std::string> open;
    std::set<std::string> own;
    for (const auto& row : desk.router.endpoints()) {
      const auto name = std::string(http::to_string(row.method)) + " " + row.path;
      if (row.is_public) open.insert(name);
      if (!row.is_public && row.permission == nullptr) own.insert(name);
    }
    CHECK(open == std::set<std::string>{"POST /api/v1/bootstrap", "POST /api/v1/session",
                                        "POST /api/v1/session/link",
                                        "POST /api/v1/session/refresh"});
    CHECK(own == std::set<std::string>{"GET /api/v1/session", "DELETE /api/v1/session",
                                       "PUT /api/v1/session/password", "GET /api/v1/orgs",
                                       "GET /api/v1/orgs/:org/projects"});
  }

  TEST_CASE("A repeated POST with its key acts once, and another body with it is a conflict") {
    Town town;
    const ecp_test::Fields key{{"Idempotency-Key", "0d1f6f2e"}};
    const auto first = town.post("/api/v1/orgs", named("Once"), town.root, key);
    const auto again = town.post("/api/v1/orgs", named("Once"), town.root, key);
    CHECK(first.status == 201);
    CHECK(again.status == 201);
    CHECK(again.text == first.text);
    CHECK(again.etag == first.etag);
    CHECK(town.post("/api/v1/orgs", named("Other"), town.root, key).status == 409);
    CHECK(town.get("/api/v1/orgs", town.root).number("total") == 3);
  }

  TEST_CASE("Users are seen by system administrators alone") {
    Town town;
    CHECK(town.get("/api/v1/users", town.root).number("total") == 4);
    CHECK(town.get("/api/v1/users", town.root).text.find("argon2") == std::string::npos);
    for (const auto& [role, token] : town.tokens) {
      CAPTURE(role);
      CHECK(town.get("/api/v1/users", token).status == 403);
      CHECK(town.post("/api/v1/users", PeopleDesk::person("x@example.com"), token).status == 403);
    }
  }
}

TEST_SUITE("api.audit_endpoints") {
  TEST_CASE("[R34] [R36] The log names who did what, and keeps no secret") {
    Town town;
    town.get(town.foreign.project, town.tokens["member"]);

    const auto of_org = town.get(town.own.org + "/audit?limit=200", town.root);
    const auto operations = of_org.items("operation");
    for (const auto* operation : {"project.create", "member.put"}) {
      CAPTURE(operation);
      CHECK(std::count(operations.begin(), operations.end(), operation) > 0);
    }
    const auto everything = town.get("/api/v1/audit?limit=200", town.root);
    const auto outcomes = everything.items("outcome");
    CHECK(std::count(outcomes.begin(), outcomes.end(), "denied") > 0);
    CHECK(everything.text.find("session.log_in") != std::string::npos);
    CHECK(everything.text.find("192.0.2.7") != std::string::npos);
    CHECK(everything.text.find(good_password) == std::string::npos);
    CHECK(everything.text.find(town.root) == std::string::npos);
  }

  TEST_CASE("[R16] An organization's log shows nothing of another") {
    Town town;
    auto& token = town.tokens["organization_admin"];
    const auto log = town.get(town.own.org + "/audit?limit=200", token);
    CHECK(log.status == 200);
    const auto foreign = town.foreign.org.substr(town.foreign.org.rfind('/') + 1);
    CHECK(log.text.find(foreign) == std::string::npos);
    CHECK(town.get("/api/v1/audit", token).status == 403);
  }
}
