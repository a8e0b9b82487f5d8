// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/user_registry.hpp>

#include <ecp/core/reasons.hpp>
#include <ecp/identity/reasons.hpp>

#include "support/people.hpp"

using ecp::ErrorCode;
using ecp::Revision;
using ecp::Secret;
using ecp::identity::NewUser;
using ecp_test::good_password;
using ecp_test::must;
using ecp_test::Town;

TEST_SUITE("identity.UserRegistry") {
  TEST_CASE("an address is taken whatever its letters' case") {
    Town town;
    town.all.user("ann");

    const auto outcome = town.all.users.create(
        town.all.system(), {"ANN@example.com", "Other Ann", Secret(good_password)});

    CHECK(outcome.error().is(ecp::reasons::name_taken));
  }

  TEST_CASE("what is no address or name is refused, naming the field") {
    Town town;
    const auto field = [&](const char* email, const char* name) {
      const auto outcome =
          town.all.users.create(town.all.system(), {email, name, Secret(good_password)});
      REQUIRE_FALSE(outcome);
      return outcome.error().params.at(0).second;
    };

    for (const char* const bad : {"", "ann", "@x", "ann@", "a@b@c", "a b@c", "a\n@b"}) {
      CHECK(field(bad, "Ann") == "email");
    }
    CHECK(field("ann@example.com", "") == "name");
    CHECK(field("ann@example.com", std::string(51, 'x').c_str()) == "name");
  }

  TEST_CASE("a user's own name and address are no passwords [R03]") {
    Town town;

    CHECK_FALSE(town.all.users.create(
        town.all.system(),
        {"annarcherofyork@example.com", "Ann Archer of York", Secret("ann archer of york")}));
    CHECK_FALSE(town.all.users.create(
        town.all.system(), {"annarcherofyork@example.com", "Ann", Secret("annarcherofyork")}));
  }

  TEST_CASE("a change of a stale revision is a conflict") {
    Town town;
    const auto ann = town.all.user("ann");
    REQUIRE(town.all.users.update(town.all.system(), ann, Revision::first, {{}, "Anna", {}}));

    const auto outcome =
        town.all.users.update(town.all.system(), ann, Revision::first, {{}, "Anne", {}});

    CHECK(outcome.error().code() == ErrorCode::conflict);
    CHECK(must(town.all.users.get(town.all.system(), ann)).name == "Anna");
  }

  TEST_CASE("a removed user is gone with his sessions and memberships") {
    Town town;
    const auto organization = town.all.organization("one");
    const auto ann = town.all.user("ann", organization, ecp::rbac::Role::organization_admin);
    const auto tokens =
        must(town.all.sessions.log_in("ann@example.com", Secret(good_password), {}));

    REQUIRE(town.all.users.remove(town.all.system(), ann, Revision::first));

    CHECK_FALSE(town.all.sessions.authenticate(tokens.access_token.view()));
    CHECK_FALSE(town.all.grant(ann, organization).holds_any());
    CHECK(town.all.users.get(town.all.system(), ann).error().code() == ErrorCode::not_found);
    CHECK(must(town.all.members.list(town.all.system(organization), organization, {})).total == 0);
  }
}
