// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/membership_registry.hpp>

#include <ecp/identity/reasons.hpp>
#include <ecp/rbac/reasons.hpp>

#include "support/people.hpp"

using ecp::ErrorCode;
using ecp::access::Scope;
using ecp::access::UserId;
using ecp::rbac::Role;
using ecp_test::TwoTenants;

namespace {

/// Who may give what: actor, scope, role, and whether it works.
struct Gift {
  UserId TwoTenants::Tenant::*actor;
  bool in_project;
  Role role;
  bool is_allowed;
};

}  // namespace

TEST_SUITE("rbac.MembershipRegistry") {
  TEST_CASE("everybody gives just the roles that the action matrix lets him give") {
    TwoTenants town;
    using Tenant = TwoTenants::Tenant;
    const Gift gifts[] = {
        {&Tenant::organization_admin, false, Role::organization_admin, false},
        {&Tenant::organization_admin, false, Role::member, true},
        {&Tenant::organization_admin, true, Role::project_admin, true},
        {&Tenant::organization_admin, true, Role::member, true},
        {&Tenant::project_admin, false, Role::organization_admin, false},
        {&Tenant::project_admin, false, Role::member, false},
        {&Tenant::project_admin, true, Role::project_admin, false},
        {&Tenant::project_admin, true, Role::member, true},
        {&Tenant::member, false, Role::member, false},
        {&Tenant::member, true, Role::member, false},
    };
    int number = 0;
    for (const auto& gift : gifts) {
      CAPTURE(number);
      const auto someone =
          town.all.user("gifted" + std::to_string(number++), town.a.organization, Role::member);
      const auto& scope = gift.in_project ? town.a.project : town.a.organization;
      const auto actor = town.a.*gift.actor;

      const auto outcome =
          town.all.members.put(town.all.grant(actor, scope), scope, someone, gift.role);

      CHECK(outcome.has_value() == gift.is_allowed);
    }
  }

  TEST_CASE("only a system administrator makes system and organization administrators") {
    TwoTenants town;
    const auto someone = town.all.user("someone", town.a.organization, Role::member);
    const auto by_org_admin = town.all.members.put(town.all.grant(town.a.organization_admin), {},
                                                   someone, Role::system_admin);

    CHECK(by_org_admin.error().code() == ErrorCode::permission_denied);
    CHECK(town.all.members.put(town.all.grant(town.admin), {}, someone, Role::system_admin));
    CHECK(town.all.members.put(town.all.grant(town.admin, town.a.organization), town.a.organization,
                               someone, Role::organization_admin));
  }

  TEST_CASE("a role above one's own giving can neither be lowered nor taken") {
    TwoTenants town;
    const auto other = town.all.user("other", town.a.project, Role::project_admin);
    const auto grant = town.all.grant(town.a.project_admin, town.a.project);

    CHECK_FALSE(town.all.members.put(grant, town.a.project, other, Role::member));
    CHECK_FALSE(town.all.members.remove(grant, town.a.project, other));
    CHECK(town.all.members.remove(grant, town.a.project, town.a.member));
  }

  TEST_CASE("a project takes members of its own organization only") {
    TwoTenants town;
    const auto grant = town.all.grant(town.a.organization_admin, town.a.project);

    const auto outcome = town.all.members.put(grant, town.a.project, town.b.member, Role::member);

    CHECK(outcome.error().is(ecp::rbac::reasons::not_in_organization));
  }

  TEST_CASE("whoever leaves an organization leaves its projects") {
    TwoTenants town;

    REQUIRE(town.all.members.remove(town.all.grant(town.a.organization_admin, town.a.organization),
                                    town.a.organization, town.a.member));

    CHECK_FALSE(town.all.grant(town.a.member, town.a.project).holds_any());
    CHECK(town.all.members.own_places(town.all.grant(town.a.member)).value().empty());
  }

  TEST_CASE("the last system administrator stays") {
    TwoTenants town;

    const auto removed = town.all.members.remove(town.all.grant(town.admin), {}, town.admin);
    const auto disabled = town.all.users.update(town.all.grant(town.admin), town.admin,
                                                ecp::Revision::first, {{}, {}, false});
    const auto deleted =
        town.all.users.remove(town.all.grant(town.admin), town.admin, ecp::Revision::first);

    CHECK(removed.error().is(ecp::identity::reasons::last_admin));
    CHECK(disabled.error().is(ecp::identity::reasons::last_admin));
    CHECK(deleted.error().is(ecp::identity::reasons::last_admin));
  }

  TEST_CASE("lists of organizations and projects show one's own places and nothing else [R16]") {
    TwoTenants town;
    const auto organizations = [&](UserId user) {
      return town.all.members.visible_organizations(town.all.grant(user), {}).value();
    };
    const auto projects = [&](UserId user, const Scope& scope) {
      return town.all.members.visible_projects(town.all.grant(user, scope), scope.organization, {});
    };

    CHECK(organizations(town.admin).total == 2);
    CHECK(organizations(town.a.organization_admin).total == 1);
    REQUIRE(organizations(town.a.member).total == 1);
    CHECK(organizations(town.a.member).items[0].name == "canary-org-a");
    CHECK(projects(town.a.member, town.a.organization).value().total == 1);
    CHECK(projects(town.a.member, town.b.organization).error().code() == ErrorCode::not_found);
    CHECK(organizations(town.all.user("nobody")).total == 0);
  }

  TEST_CASE("members are listed with their roles, and only to those who may see them") {
    TwoTenants town;
    const auto& scope = town.a.project;

    const auto seen = town.all.members.list(town.all.grant(town.a.project_admin, scope), scope, {});
    const auto refused = town.all.members.list(town.all.grant(town.a.member, scope), scope, {});

    REQUIRE(seen);
    CHECK(seen->total == 2);
    CHECK(refused.error().code() == ErrorCode::permission_denied);
  }

  TEST_CASE("an unknown address is not found") {
    TwoTenants town;

    const auto outcome = town.all.members.put_by_email(
        town.all.grant(town.a.organization_admin, town.a.organization), town.a.organization,
        "nobody@example.com", Role::member);

    CHECK(outcome.error().code() == ErrorCode::not_found);
  }
}
