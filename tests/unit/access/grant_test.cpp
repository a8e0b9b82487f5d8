// SPDX-License-Identifier: Apache-2.0
#include <ecp/access/grant.hpp>

#include <set>
#include <type_traits>

#include <ecp/access/reasons.hpp>

#include "support/people.hpp"

using ecp::access::Grant;
using ecp::access::Scope;
using ecp_test::Town;
namespace permissions = ecp::access::permissions;

// A grant cannot be kept or made up.
static_assert(!std::is_copy_constructible_v<Grant> && !std::is_default_constructible_v<Grant>);

TEST_SUITE("access.Scope") {
  TEST_CASE("a scope contains itself and what lies inside it") {
    ecp::ManualEnv world;
    const auto organization = world.ids.next<ecp::access::OrganizationId>();
    const Scope one{organization, {}};
    const Scope inside{organization, world.ids.next<ecp::access::ProjectId>()};
    const Scope sibling{organization, world.ids.next<ecp::access::ProjectId>()};
    const Scope other{world.ids.next<ecp::access::OrganizationId>(), inside.project};

    CHECK(Scope::platform().contains(other));
    CHECK(one.contains(one));
    CHECK(one.contains(inside));
    CHECK_FALSE(one.contains(other));
    CHECK_FALSE(one.contains(Scope::platform()));
    CHECK_FALSE(inside.contains(sibling));
    CHECK_FALSE(inside.contains(one));
    CHECK_FALSE(inside.contains(other));
  }
}

TEST_SUITE("access.PermissionRegistry") {
  TEST_CASE("permissions have names of their own and dense indices") {
    const ecp::access::PermissionRegistry registry;
    std::set<std::string_view> names;
    std::size_t expected = 0;
    for (const auto* permission : registry.all()) {
      names.insert(permission->name);
      CHECK(static_cast<std::size_t>(registry.index(*permission)) == expected++);
      CHECK(registry.find(permission->name) == permission);
    }
    CHECK(names.size() == permissions::all.size());
    CHECK(registry.find("no.such") == nullptr);
  }
}

TEST_SUITE("access.Grant") {
  TEST_CASE("a grant reaches no further than its scope") {
    Town town;
    const auto organization = town.all.organization("one");
    const auto other = town.all.organization("two");
    const auto grant = town.all.system(organization);

    CHECK(grant.require(permissions::project_view, organization));
    CHECK(grant.require(permissions::project_view, other).error().code() ==
          ecp::ErrorCode::not_found);
    // That there is a platform is no secret.
    CHECK(grant.require(permissions::user_view, Scope::platform()).error().code() ==
          ecp::ErrorCode::permission_denied);
  }

  TEST_CASE("asking with allows leaves no trace") {
    Town town;
    const auto organization = town.all.organization("one");
    const auto before = town.all.entries().size();

    CHECK_FALSE(town.all.system(organization).allows(permissions::user_view, Scope::platform()));

    CHECK(town.all.entries().size() == before);
  }

  TEST_CASE("a write made with rights of an older revision is a conflict and runs nothing") {
    Town town;
    const auto user = town.all.user("ann");
    const auto grant = town.all.grant(user);
    REQUIRE(town.store->write([&](ecp::storage::Transaction& transaction) {
      return transaction.get<ecp::access::PrincipalStore>().touch(user.bytes(),
                                                                  town.world.clock.now());
    }));
    bool has_run = false;

    const auto outcome =
        ecp::access::write(*town.store, grant, [&](ecp::storage::Transaction&) -> ecp::Result<int> {
          has_run = true;
          return 1;
        });

    CHECK(outcome.error().is(ecp::access::reasons::rights_changed));
    CHECK_FALSE(has_run);
  }

  TEST_CASE("a refusal stands when it cannot be recorded, and the log tells [R34]") {
    Town town;
    const auto grant = town.all.grant(town.all.user("ann"));
    town.store->close();

    const auto outcome = grant.require(permissions::user_view, Scope::platform());

    CHECK_FALSE(outcome);
    CHECK(town.world.log.contains("a refusal could not be recorded"));
  }
}
