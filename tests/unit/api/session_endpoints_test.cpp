// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <filesystem>

#include "unit/api/people_desk.hpp"

using namespace ecp;
using ecp_test::Answer;
using ecp_test::good_password;
using ecp_test::must;
using ecp_test::PeopleDesk;

namespace {

std::string with(const std::string& name, const std::string& value) {
  return "{\"" + name + "\":\"" + value + "\"}";
}

Answer log_in(PeopleDesk& desk, const std::string& password = good_password) {
  return desk.post("/api/v1/session",
                   R"({"email":"ada@example.com","password":")" + password + "\"}");
}

}  // namespace

TEST_SUITE("api.bootstrap_endpoints") {
  TEST_CASE("[R01] The first administrator is made once, with the secret of the file") {
    PeopleDesk desk;
    const auto secret = desk.secret();
    const auto ask = [&](const std::string& what) {
      return desk.post("/api/v1/bootstrap",
                       PeopleDesk::person("ada@example.com", R"(,"secret":")" + what + "\""));
    };

    CHECK(ask("admin").status == 401);
    CHECK(ask("").status == 401);
    const auto made = ask(secret);
    CHECK(made.status == 201);
    CHECK(made.etag == "\"1\"");
    CHECK(made["email"] == "ada@example.com");
    CHECK(made.text.find(good_password) == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(desk.secret_path()));
    CHECK(ask(secret).status == 401);
  }

  TEST_CASE("[R01] A secret is good for a day") {
    PeopleDesk desk;
    const auto secret = desk.secret();
    desk.world.clock.advance(std::chrono::hours(24));
    CHECK(desk.post("/api/v1/bootstrap",
                    PeopleDesk::person("ada@example.com", R"(,"secret":")" + secret + "\""))
              .status == 401);
  }
}

TEST_SUITE("api.session_endpoints") {
  TEST_CASE("Whoever logs in gets tokens, their lifetimes and himself") {
    PeopleDesk desk;
    desk.admin();

    const auto answer = log_in(desk);

    CHECK(answer.status == 201);
    CHECK(answer.number("expires_in") == 15 * 60);
    CHECK(answer.number("refresh_expires_in") == 12 * 3600);
    CHECK(answer.document.root().find("user")->find("email")->get_string() == "ada@example.com");
    const auto me = desk.get("/api/v1/session", answer["access_token"]);
    CHECK(me.status == 200);
    CHECK(me.document.root().find("user")->find("email")->get_string() == "ada@example.com");
    const auto role = me.document.root().find("roles")->at(0);
    CHECK(role.find("role")->get_string() == "system_admin");
    CHECK(role.find("organization")->is_null());
  }

  TEST_CASE("[R06] An unknown address and a wrong password are answered alike") {
    PeopleDesk desk;
    desk.admin();
    const auto wrong = log_in(desk, "something else entirely");
    const auto unknown =
        desk.post("/api/v1/session",
                  R"({"email":"nobody@example.com","password":"something else entirely"})");
    CHECK(wrong.status == 401);
    CHECK(unknown.status == wrong.status);
    CHECK(unknown.text == wrong.text);
  }

  TEST_CASE("[R07] A token is over after log-out, after 15 minutes, and when it was never given") {
    PeopleDesk desk;
    const auto token = desk.admin();
    CHECK(desk.get("/api/v1/session", token).status == 200);
    CHECK(desk.remove("/api/v1/session", token).status == 204);
    CHECK(desk.get("/api/v1/session", token).status == 401);
    const auto other = desk.log_in("ada@example.com");
    desk.world.clock.advance(std::chrono::minutes(15));
    CHECK(desk.get("/api/v1/session", other).status == 401);
    CHECK(desk.get("/api/v1/session", "ecpa_guessed").status == 401);
    CHECK(desk.get("/api/v1/session", {}).status == 401);
  }

  TEST_CASE("[R07] A refresh gives new tokens; a used one ends the session") {
    PeopleDesk desk;
    desk.admin();
    const auto first = log_in(desk);
    const auto refresh = [&](const Answer& from) {
      return desk.post("/api/v1/session/refresh", with("refresh_token", from["refresh_token"]));
    };

    const auto second = refresh(first);
    CHECK(second.status == 201);
    CHECK(second["access_token"] != first["access_token"]);
    CHECK(desk.get("/api/v1/session", first["access_token"]).status == 401);
    CHECK(desk.get("/api/v1/session", second["access_token"]).status == 200);

    CHECK(refresh(first).status == 401);
    CHECK(desk.get("/api/v1/session", second["access_token"]).status == 401);
    CHECK(refresh(second).status == 401);
  }

  TEST_CASE("The code of a log-in link is good once and for five minutes") {
    PeopleDesk desk;
    desk.admin();
    const auto code = [&] {
      const auto grant = desk.authorizer.system("test", access::Scope::platform());
      return std::string(must(desk.sessions.make_login_link(grant, "ada@example.com")).view());
    };
    const auto exchange = [&](const std::string& what) {
      return desk.post("/api/v1/session/link", with("code", what));
    };

    const auto first = code();
    const auto answer = exchange(first);
    CHECK(answer.status == 201);
    CHECK(desk.get("/api/v1/session", answer["access_token"]).status == 200);
    CHECK(exchange(first).status == 401);
    const auto second = code();
    desk.world.clock.advance(std::chrono::minutes(5));
    CHECK(exchange(second).status == 401);
  }

  TEST_CASE("[R07] A new password ends all sessions and the old one is good no more") {
    PeopleDesk desk;
    const auto token = desk.admin();
    const auto other = desk.log_in("ada@example.com");
    const auto change = [&](const std::string& current, const std::string& next) {
      return desk
          .call(http::Method::put, "/api/v1/session/password",
                R"({"current":")" + current + R"(","next":")" + next + "\"}", token)
          .status;
    };

    CHECK(change("not the current one", "quite another furnace") == 401);
    CHECK(change(good_password, "short") == 400);
    CHECK(change(good_password, "quite another furnace") == 204);
    CHECK(desk.get("/api/v1/session", token).status == 401);
    CHECK(desk.get("/api/v1/session", other).status == 401);
    CHECK(log_in(desk).status == 401);
    CHECK(log_in(desk, "quite another furnace").status == 201);
  }

  TEST_CASE("[R03] Passwords are long, unusual and not about their user") {
    PeopleDesk desk;
    const auto token = desk.admin();
    const auto create = [&](const std::string& email, const std::string& password) {
      return desk
          .post(
              "/api/v1/users",
              R"({"email":")" + email + R"(","name":"Passworder","password":")" + password + "\"}",
              token)
          .status;
    };
    std::string emoji = "12345678";
    for (int i = 0; i < 60; ++i) emoji += "ü🙂";

    CHECK(create("a@example.com", std::string(14, 'x')) == 400);
    CHECK(create("a@example.com", std::string(129, 'x')) == 400);
    CHECK(create("a@example.com", "123451234512345") == 400);
    CHECK(create("a@example.com", "Passworder") == 400);
    CHECK(create("a@example.com", "abcdefghijklmnopqrst") == 201);
    CHECK(create("b@example.com", emoji) == 201);
    CHECK_FALSE(desk.log_in("b@example.com", emoji).empty());
  }

  TEST_CASE("Sessions of a disabled user are over, and he cannot log in") {
    PeopleDesk desk;
    const auto token = desk.admin();
    const auto user = desk.add_user("bob@example.com", token);
    const auto path = "/api/v1/users/" + user;
    const auto bob = desk.log_in("bob@example.com");
    CHECK(desk.get("/api/v1/session", bob).status == 200);

    CHECK(desk.patch(path, R"({"enabled":false})", token, desk.get(path, token).etag).status ==
          200);

    CHECK(desk.get("/api/v1/session", bob).status == 401);
    CHECK(desk.log_in("bob@example.com").empty());
    CHECK(
        desk.post(path + "/password", with("password", "one more furnace, please"), token).status ==
        204);
    CHECK(desk.log_in("bob@example.com", "one more furnace, please").empty());
  }
}
