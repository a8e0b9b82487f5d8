// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/session_registry.hpp>

#include <ecp/access/reasons.hpp>
#include <ecp/identity/reasons.hpp>

#include "support/people.hpp"

using ecp::Secret;
using ecp_test::good_password;
using ecp_test::must;
using ecp_test::Town;
namespace reasons = ecp::identity::reasons;

namespace {

struct LoggedIn : Town {
  ecp::access::UserId ann = all.user("ann");
  ecp::identity::SessionTokens tokens =
      must(all.sessions.log_in("Ann@Example.com", Secret(good_password), {}));

  bool is_in(const ecp::identity::SessionTokens& some) {
    return all.sessions.authenticate(some.access_token.view()).has_value();
  }
};

}  // namespace

TEST_SUITE("identity.SessionRegistry") {
  TEST_CASE("an access token tells who it is, for fifteen minutes [R07]") {
    LoggedIn town;

    const auto principal = must(town.all.sessions.authenticate(town.tokens.access_token.view()));
    CHECK(principal.id == town.ann.bytes());
    CHECK(principal.source == "session");
    town.world.clock.advance(std::chrono::minutes(15));

    CHECK(town.all.sessions.authenticate(town.tokens.access_token.view())
              .error()
              .is(reasons::session_over));
  }

  TEST_CASE("each log-in is a session of its own, with tokens of its own [R07]") {
    LoggedIn town;

    const auto second =
        must(town.all.sessions.log_in("ann@example.com", Secret(good_password), {}));

    CHECK_FALSE(second.access_token.equals(town.tokens.access_token.view()));
    REQUIRE(town.all.sessions.log_out(second.access_token.view(), {}));
    CHECK_FALSE(town.is_in(second));
    CHECK(town.is_in(town.tokens));
  }

  TEST_CASE("a refresh gives new tokens and ends the old ones [R07]") {
    LoggedIn town;

    const auto renewed = must(town.all.sessions.refresh(town.tokens.refresh_token, {}));

    CHECK(town.is_in(renewed));
    CHECK_FALSE(town.is_in(town.tokens));
  }

  TEST_CASE("a refresh token shown twice ends its session for everybody [R07]") {
    LoggedIn town;
    const auto renewed = must(town.all.sessions.refresh(town.tokens.refresh_token, {}));

    CHECK(
        town.all.sessions.refresh(town.tokens.refresh_token, {}).error().is(reasons::session_over));

    CHECK_FALSE(town.is_in(renewed));
    CHECK_FALSE(town.all.sessions.refresh(renewed.refresh_token, {}));
    CHECK(town.all.entries().front().entry.outcome == ecp::audit::Outcome::denied);
  }

  TEST_CASE("a change of roles ends the access token; a refresh gives a new session [R07]") {
    LoggedIn town;
    const auto id_of = [&](const ecp::identity::SessionTokens& tokens) {
      return must(town.store->read([&](ecp::storage::Transaction& transaction) {
               return transaction.get<ecp::identity::SessionStore>().find_by_access(
                   ecp::to_hex(ecp::sha256(tokens.access_token.view())));
             }))
          .value()
          .id;
    };
    const auto former = id_of(town.tokens);

    REQUIRE(town.store->write([&](ecp::storage::Transaction& transaction) {
      return transaction.get<ecp::access::PrincipalStore>().touch(town.ann.bytes(),
                                                                  town.world.clock.now());
    }));

    CHECK(town.all.sessions.authenticate(town.tokens.access_token.view())
              .error()
              .is(reasons::rights_changed));
    const auto renewed = must(town.all.sessions.refresh(town.tokens.refresh_token, {}));
    CHECK(town.is_in(renewed));
    CHECK(id_of(renewed) != former);
    CHECK(town.all.sessions.authenticate(town.tokens.access_token.view())
              .error()
              .is(reasons::session_over));
    const auto second = id_of(renewed);
    const auto again = must(town.all.sessions.refresh(renewed.refresh_token, {}));
    CHECK(id_of(again) == second);

    CHECK_FALSE(town.all.sessions.refresh(town.tokens.refresh_token, {}));
    CHECK_FALSE(town.is_in(again));
  }

  TEST_CASE("a forged refresh token harms nobody") {
    LoggedIn town;
    std::string forged(town.tokens.refresh_token.view());
    forged[10] = forged[10] == 'A' ? 'B' : 'A';  // In the part that all turns have in common.

    CHECK_FALSE(town.all.sessions.refresh(Secret(forged), {}));
    CHECK_FALSE(town.all.sessions.refresh(Secret("ecpr_x"), {}));
    CHECK_FALSE(town.all.sessions.refresh(Secret(""), {}));

    CHECK(town.is_in(town.tokens));
  }

  TEST_CASE("a session without refresh ends after the idle time [R07]") {
    LoggedIn town;
    town.world.clock.advance(std::chrono::hours(12));

    CHECK_FALSE(town.all.sessions.refresh(town.tokens.refresh_token, {}));
  }

  TEST_CASE("a session ends after the absolute time however busy it is [R07]") {
    LoggedIn town;
    auto tokens = std::move(town.tokens);
    for (int hour = 0; hour < 167; hour += 11) {
      tokens = must(town.all.sessions.refresh(tokens.refresh_token, {}));
      CHECK(town.is_in(tokens));
      town.world.clock.advance(std::chrono::hours(11));
    }

    CHECK_FALSE(town.all.sessions.refresh(tokens.refresh_token, {}));
  }

  TEST_CASE("logging out, disabling, and a new password each end the old tokens at once [R07]") {
    SUBCASE("log-out") {
      LoggedIn town;
      REQUIRE(town.all.sessions.log_out(town.tokens.access_token.view(), {}));
      CHECK_FALSE(town.is_in(town.tokens));
      CHECK_FALSE(town.all.sessions.refresh(town.tokens.refresh_token, {}));
    }
    SUBCASE("disabled") {
      LoggedIn town;
      REQUIRE(town.all.users.update(town.all.system(), town.ann, ecp::Revision::first,
                                    {{}, {}, false}));
      CHECK_FALSE(town.is_in(town.tokens));
      CHECK_FALSE(town.all.sessions.refresh(town.tokens.refresh_token, {}));
    }
    SUBCASE("own new password") {
      LoggedIn town;
      REQUIRE(town.all.sessions.change_password(town.all.grant(town.ann), Secret(good_password),
                                                Secret("a wholly new password")));
      CHECK_FALSE(town.is_in(town.tokens));
      CHECK(town.all.sessions.log_in("ann@example.com", Secret("a wholly new password"), {}));
      CHECK_FALSE(town.all.sessions.log_in("ann@example.com", Secret(good_password), {}));
    }
    SUBCASE("new password by an administrator") {
      LoggedIn town;
      REQUIRE(town.all.users.reset_password(town.all.system(), town.ann,
                                            Secret("a wholly new password")));
      CHECK_FALSE(town.is_in(town.tokens));
    }
  }

  TEST_CASE("changing the password needs the present one and a good next one [R03]") {
    LoggedIn town;
    const auto organization = town.all.organization("Northern Steel Works");
    town.all.give(town.ann, organization, ecp::rbac::Role::member);
    const auto change = [&](const char* current, const char* next) {
      return town.all.sessions.change_password(town.all.grant(town.ann), Secret(current),
                                               Secret(next));
    };

    CHECK(change("wrong", "a wholly new password").error().is(reasons::wrong_credentials));
    CHECK(change(good_password, "short").error().is(reasons::weak_password));
    CHECK(change(good_password, "northern steel works").error().is(reasons::weak_password));
    CHECK(town.all.sessions
              .change_password(town.all.system(), Secret(good_password), Secret(good_password))
              .error()
              .is(ecp::access::reasons::not_a_user));
  }

  TEST_CASE("a log-in link is good once, for five minutes") {
    LoggedIn town;
    const auto first =
        must(town.all.sessions.make_login_link(town.all.system(), "ann@example.com"));
    const auto second =
        must(town.all.sessions.make_login_link(town.all.system(), "ann@example.com"));

    const auto tokens = must(town.all.sessions.log_in_by_link(first, {}));
    CHECK(must(town.all.sessions.authenticate(tokens.access_token.view())).source == "login-link");
    CHECK(town.all.sessions.log_in_by_link(first, {}).error().is(reasons::bad_link));
    town.world.clock.advance(std::chrono::minutes(5));
    CHECK(town.all.sessions.log_in_by_link(second, {}).error().is(reasons::bad_link));
    CHECK_FALSE(town.all.sessions.make_login_link(town.all.system(), "nobody@example.com"));
  }

  TEST_CASE("the database holds hashes of tokens, never tokens [R36]") {
    LoggedIn town;
    const auto session = must(town.store->read([&](ecp::storage::Transaction& transaction) {
      return transaction.get<ecp::identity::SessionStore>().find_by_access(
          ecp::to_hex(ecp::sha256(town.tokens.access_token.view())));
    }));

    REQUIRE(session);
    CHECK(session->access_hash.find(town.tokens.access_token.view()) == std::string::npos);
    CHECK(session->refresh_hash.size() == 64);
  }

  TEST_CASE("a restart neither ends nor revives sessions [R07]") {
    ecp::ManualEnv world;
    ecp_test::SqliteBackend backend;
    Secret alive;
    Secret ended;
    {
      auto store = must(backend.reopen(ecp_test::people_modules(), world.env()));
      ecp_test::People people(*store, world.env());
      people.user("ann");
      alive =
          must(people.sessions.log_in("ann@example.com", Secret(good_password), {})).access_token;
      ended =
          must(people.sessions.log_in("ann@example.com", Secret(good_password), {})).access_token;
      REQUIRE(people.sessions.log_out(ended.view(), {}));
      store->close();
    }
    auto store = must(backend.reopen(ecp_test::people_modules(), world.env()));
    ecp_test::People people(*store, world.env());

    CHECK(people.sessions.authenticate(alive.view()));
    CHECK_FALSE(people.sessions.authenticate(ended.view()));
  }

  TEST_CASE("what has expired is swept away, and nothing else") {
    LoggedIn town;
    (void)must(town.all.sessions.make_login_link(town.all.system(), "ann@example.com"));
    town.world.clock.advance(std::chrono::hours(11));
    REQUIRE(town.all.sessions.sweep());
    CHECK(town.all.sessions.refresh(town.tokens.refresh_token, {}));

    town.world.clock.advance(std::chrono::hours(13));
    REQUIRE(town.all.sessions.sweep());

    CHECK(must(town.store->read([&](ecp::storage::Transaction& transaction) {
            return transaction.get<ecp::identity::SessionStore>().find_by_access(
                ecp::to_hex(ecp::sha256(town.tokens.access_token.view())));
          })).has_value() == false);
  }
}
