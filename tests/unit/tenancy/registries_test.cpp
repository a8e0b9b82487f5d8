// SPDX-License-Identifier: Apache-2.0
#include <ecp/tenancy/registries.hpp>

#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/tenancy/reasons.hpp>

#include "support/people.hpp"

using ecp::ErrorCode;
using ecp::Revision;
using ecp::access::Scope;
using ecp_test::must;
using ecp_test::Town;

namespace {

/// Something that stands in a project until told otherwise.
class Tenant final : public ecp::tenancy::ScopeObserver {
 public:
  ecp::Result<bool> is_empty(ecp::storage::Transaction&, const Scope&) override { return is_out; }
  ecp::Result<void> scope_removed(ecp::storage::Transaction&, const Scope& scope) override {
    removed.push_back(scope);
    return {};
  }
  bool is_out = false;
  std::vector<Scope> removed;
};

}  // namespace

TEST_SUITE("tenancy.OrganizationRegistry") {
  TEST_CASE("a name is taken whatever its letters' case") {
    Town town;
    town.all.organization("Northern Steel");

    CHECK(town.all.organizations.create(town.all.system(), {"NORTHERN steel", ""})
              .error()
              .is(ecp::reasons::name_taken));
  }

  TEST_CASE("names have 1 to 50 characters, whatever their octets") {
    Town town;
    std::string umlauts;
    for (int i = 0; i < 50; ++i) umlauts += "\xc3\xbc";

    CHECK(town.all.organizations.create(town.all.system(), {umlauts, ""}));
    for (const std::string& bad : {std::string(), umlauts + "x", std::string(" x"),
                                   std::string("x "), std::string("a\nb"), std::string("\xff")}) {
      CHECK(town.all.organizations.create(town.all.system(), {bad, ""}).error().code() ==
            ErrorCode::invalid_argument);
    }
    CHECK_FALSE(town.all.organizations.create(town.all.system(), {"x", std::string(501, 'd')}));
  }

  TEST_CASE("there are at most 100 organizations") {
    Town town;
    for (std::size_t i = 0; i < ecp::limits::organizations; ++i) {
      town.all.organization("organization " + std::to_string(i));
    }

    CHECK(town.all.organizations.create(town.all.system(), {"one more", ""})
              .error()
              .is(ecp::reasons::over_limit));
  }

  TEST_CASE("an organization with a project stays") {
    Town town;
    const auto scope = town.all.organization("one");
    const auto project = town.all.project(scope, "p");

    CHECK(town.all.organizations.remove(town.all.system(), scope.organization, Revision::first)
              .error()
              .is(ecp::tenancy::reasons::not_empty));
    REQUIRE(town.all.projects.remove(town.all.system(project), project, Revision::first));
    CHECK(town.all.organizations.remove(town.all.system(), scope.organization, Revision::first));
    CHECK(town.all.organizations.get(town.all.system(), scope.organization).error().code() ==
          ErrorCode::not_found);
  }

  TEST_CASE("a change of a stale revision is a conflict, and what is not named stays") {
    Town town;
    const auto scope = town.all.organization("one");
    const auto id = scope.organization;
    const auto changed =
        must(town.all.organizations.update(town.all.system(), id, Revision::first, {{}, "Steel."}));

    CHECK(changed.name == "one");
    CHECK(changed.description == "Steel.");
    CHECK(changed.revision == ecp::next(Revision::first));
    CHECK(town.all.organizations.update(town.all.system(), id, Revision::first, {"two", {}})
              .error()
              .is(ecp::reasons::stale_revision));
  }
}

TEST_SUITE("tenancy.ProjectRegistry") {
  TEST_CASE("names are unique in their organization only") {
    Town town;
    const auto one = town.all.organization("one");
    const auto two = town.all.organization("two");
    town.all.project(one, "Hall 7");

    CHECK(town.all.projects.create(town.all.system(two), two.organization, {"Hall 7", ""}));
    CHECK_FALSE(town.all.projects.create(town.all.system(one), one.organization, {"hall 7", ""}));
  }

  TEST_CASE("a project goes only when those who know say that it is empty") {
    Town town;
    Tenant tenant;
    ecp::tenancy::ProjectRegistry projects(*town.store, {&tenant, &town.all.book},
                                           town.world.env());
    const auto scope = town.all.project(town.all.organization("one"), "p");
    const auto grant = town.all.system(scope);

    CHECK(projects.remove(grant, scope, Revision::first)
              .error()
              .is(ecp::tenancy::reasons::not_empty));
    CHECK(tenant.removed.empty());
    tenant.is_out = true;
    CHECK(projects.remove(grant, scope, Revision::first));
    CHECK(tenant.removed.size() == 1);
  }

  TEST_CASE("a removed project leaves no rights behind [R15]") {
    Town town;
    const auto scope = town.all.project(town.all.organization("one"), "p");
    const auto ann = town.all.user("ann", scope, ecp::rbac::Role::project_admin);

    REQUIRE(town.all.projects.remove(town.all.system(scope), scope, Revision::first));

    CHECK_FALSE(town.all.grant(ann, scope).holds_any());
    CHECK(must(town.all.members.own_places(town.all.grant(ann))).size() == 1);
  }

  TEST_CASE("a project below another organization's id does not exist [R12]") {
    Town town;
    const auto one = town.all.project(town.all.organization("one"), "p");
    const auto two = town.all.organization("two");
    const Scope crossed{two.organization, one.project};

    CHECK(town.all.projects.get(town.all.system(two), crossed).error().code() ==
          ErrorCode::not_found);
    CHECK(town.all.projects.remove(town.all.system(two), crossed, Revision::first).error().code() ==
          ErrorCode::not_found);
  }

  TEST_CASE("an organization has at most 100 projects") {
    Town town;
    const auto one = town.all.organization("one");
    for (std::size_t i = 0; i < ecp::limits::projects_per_organization; ++i) {
      town.all.project(one, "project " + std::to_string(i));
    }

    CHECK(town.all.projects.create(town.all.system(one), one.organization, {"one more", ""})
              .error()
              .is(ecp::reasons::over_limit));
  }
}
