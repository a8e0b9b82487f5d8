// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/session_registry.hpp>

#include <algorithm>
#include <chrono>

#include <ecp/identity/reasons.hpp>

#include "support/people.hpp"

using ecp::ErrorCode;
using ecp::Secret;
using ecp::access::Origin;
using ecp_test::good_password;
using ecp_test::Town;
namespace reasons = ecp::identity::reasons;

namespace {

Origin from(std::uint8_t host) {
  Origin origin;
  origin.remote = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, 10, 0, 0, host};
  return origin;
}

ecp::Error try_wrong(Town& town, const std::string& email, std::uint8_t host = 1) {
  auto outcome = town.all.sessions.log_in(email, Secret("not the password"), from(host));
  REQUIRE_FALSE(outcome);
  return outcome.error();
}

bool can_log_in(Town& town, const std::string& email, std::uint8_t host = 1) {
  return town.all.sessions.log_in(email, Secret(good_password), from(host)).has_value();
}

}  // namespace

TEST_SUITE("identity.log_in") {
  TEST_CASE("after ten bad tries in five minutes the pauses double [R05]") {
    Town town;
    town.all.user("ann");
    for (int i = 0; i < 10; ++i) {
      CHECK(try_wrong(town, "ann@example.com").is(reasons::wrong_credentials));
    }

    for (const int seconds : {1, 2, 4, 8, 16}) {
      const auto refused = try_wrong(town, "ann@example.com");
      CHECK(refused.is(reasons::too_many_tries));
      CHECK(refused.params == ecp::Params{{"retry_after_s", std::to_string(seconds)}});
      CHECK_FALSE(can_log_in(town, "ann@example.com"));
      town.world.clock.advance(std::chrono::seconds(seconds));
      CHECK(try_wrong(town, "ann@example.com").is(reasons::wrong_credentials));
    }
  }

  TEST_CASE("each refused try is recorded until its address is paused itself [R34]") {
    Town town;
    town.all.user("ann");
    for (int i = 0; i < 10; ++i) (void)try_wrong(town, "ann@example.com");
    const auto before = town.all.entries().size();

    for (int i = 0; i < 90; ++i) (void)try_wrong(town, "ann@example.com");
    CHECK(town.all.entries().size() == before + 90);
    CHECK(town.all.entries().front().entry.details.at(0).second == "too many tries before");

    for (int i = 0; i < 50; ++i) (void)try_wrong(town, "ann@example.com");
    CHECK(town.all.entries().size() == before + 90);
  }

  TEST_CASE("another user from another address is not affected [R05]") {
    Town town;
    town.all.user("ann");
    town.all.user("bob");
    for (int i = 0; i < 11; ++i) (void)try_wrong(town, "ann@example.com", 1);

    CHECK_FALSE(can_log_in(town, "ann@example.com", 2));
    CHECK(can_log_in(town, "bob@example.com", 2));
  }

  TEST_CASE("after 100 consecutive failures an administrator must help [R05]") {
    Town town;
    const auto ann = town.all.user("ann");
    for (int i = 0; i < 100; ++i) {
      CHECK(try_wrong(town, "ann@example.com", static_cast<std::uint8_t>(i))
                .is(reasons::wrong_credentials));
      town.world.clock.advance(std::chrono::minutes(16));
    }

    CHECK(try_wrong(town, "ann@example.com").is(reasons::locked));
    REQUIRE(town.all.sessions.sweep());
    town.world.clock.advance(std::chrono::hours(48));
    REQUIRE(town.all.sessions.sweep());
    CHECK_FALSE(can_log_in(town, "ann@example.com"));
    REQUIRE(town.all.users.reset_password(town.all.system(), ann, Secret(good_password)));
    CHECK(can_log_in(town, "ann@example.com"));
  }

  TEST_CASE("a success forgets the failures before it") {
    Town town;
    town.all.user("ann");
    for (int round = 0; round < 3; ++round) {
      for (int i = 0; i < 9; ++i) (void)try_wrong(town, "ann@example.com");
      CHECK(can_log_in(town, "ann@example.com"));
    }
  }

  TEST_CASE("spraying many accounts from one address is slowed down too [R05]") {
    Town town;
    for (int i = 0; i < 100; ++i) {
      (void)try_wrong(town, "user" + std::to_string(i) + "@example.com");
    }

    CHECK(try_wrong(town, "fresh@example.com").is(reasons::too_many_tries));
    CHECK(try_wrong(town, "fresh@example.com", 9).is(reasons::wrong_credentials));
  }

  TEST_CASE(
      "an unknown, a disabled and a known user get the same answers, also when throttled "
      "[R06]") {
    Town town;
    town.all.user("ann");
    const auto bob = town.all.user("bob");
    REQUIRE(town.all.users.update(town.all.system(), bob, ecp::Revision::first, {{}, {}, false}));
    for (int i = 0; i < 13; ++i) {
      const auto known = try_wrong(town, "ann@example.com", 1);
      const auto disabled = try_wrong(town, "bob@example.com", 2);
      const auto unknown = try_wrong(town, "nobody@example.com", 3);

      CHECK(known.describe() == unknown.describe());
      CHECK(known.params == unknown.params);
      CHECK(disabled.describe() == unknown.describe());
    }
    CHECK_FALSE(can_log_in(town, "bob@example.com", 4));
  }

  TEST_CASE("the same work is done for an unknown and a known user [R06]") {
    auto options = ecp_test::cheap_hashes();
    options.operations = 3;
    options.memory = std::size_t{1} << 20;
    ecp::identity::PasswordHasher hasher(options);
    const auto hash = ecp_test::must(hasher.hash(Secret(good_password)));
    const auto turn = ecp_test::must(hasher.wait_for_turn());
    const auto median = [&](std::string_view kept) {
      std::vector<std::int64_t> times;
      for (int i = 0; i < 41; ++i) {
        const auto start = std::chrono::steady_clock::now();
        (void)hasher.verify(turn, kept, Secret("not the password"));
        times.push_back((std::chrono::steady_clock::now() - start).count());
      }
      std::nth_element(times.begin(), times.begin() + 20, times.end());
      return static_cast<double>(times[20]);
    };

    const double known = median(hash);
    const double unknown = median("");

    CHECK(unknown > 0.5 * known);
    CHECK(unknown < 2.0 * known);
  }

  TEST_CASE("failed tries are counted in the database, so a restart forgets none [R05]") {
    ecp::ManualEnv world;
    ecp_test::SqliteBackend backend;
    {
      auto store = ecp_test::must(backend.reopen(ecp_test::people_modules(), world.env()));
      ecp_test::People people(*store, world.env());
      people.user("ann");
      for (int i = 0; i < 10; ++i) {
        CHECK_FALSE(people.sessions.log_in("ann@example.com", Secret("wrong"), from(1)));
      }
      store->close();
    }
    auto store = ecp_test::must(backend.reopen(ecp_test::people_modules(), world.env()));
    ecp_test::People people(*store, world.env());

    CHECK(people.sessions.log_in("ann@example.com", Secret(good_password), from(1))
              .error()
              .is(reasons::too_many_tries));
  }
}
