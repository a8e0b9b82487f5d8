// SPDX-License-Identifier: Apache-2.0
#include <ecp/rbac/authorizer.hpp>

#include <ecp/access/reasons.hpp>
#include <ecp/core/reasons.hpp>

#include "support/people.hpp"

using ecp::ErrorCode;
using ecp::access::Scope;
using ecp::rbac::Role;
using ecp_test::TwoTenants;
namespace permissions = ecp::access::permissions;

TEST_SUITE("rbac.Authorizer") {
  TEST_CASE("a foreign scope and one that does not exist are answered alike, and audited [R12]") {
    TwoTenants town;
    const Scope unknown{town.world.ids.next<ecp::access::OrganizationId>(),
                        town.world.ids.next<ecp::access::ProjectId>()};
    const auto before = town.all.entries().size();

    const auto foreign = town.all.grant(town.a.organization_admin, town.b.project)
                             .require(permissions::edge_node_view, town.b.project);
    const auto absent = town.all.grant(town.a.organization_admin, unknown)
                            .require(permissions::edge_node_view, unknown);

    REQUIRE_FALSE(foreign);
    REQUIRE_FALSE(absent);
    CHECK(foreign.error().code() == ErrorCode::not_found);
    CHECK(foreign.error().describe() == absent.error().describe());
    CHECK(foreign.error().params == absent.error().params);
    const auto entries = town.all.entries();
    REQUIRE(entries.size() == before + 2);
    CHECK(entries[0].entry.outcome == ecp::audit::Outcome::denied);
    CHECK(entries[0].entry.scope == Scope::platform());
  }

  TEST_CASE(
      "a project named below a foreign organization does not exist, even for administrators") {
    TwoTenants town;
    const Scope crossed{town.a.organization.organization, town.b.project.project};

    const auto grant = town.all.grant(town.admin, crossed);

    CHECK(grant.require(permissions::project_view, crossed).error().code() == ErrorCode::not_found);
  }

  TEST_CASE("a refusal inside one's own scope says what is missing and is audited there") {
    TwoTenants town;

    const auto outcome = town.all.grant(town.a.member, town.a.project)
                             .require(permissions::data_tag_write, town.a.project);

    CHECK(outcome.error().is(ecp::access::reasons::permission_denied));
    const auto last = town.all.entries().front().entry;
    CHECK(last.outcome == ecp::audit::Outcome::denied);
    CHECK(last.scope == town.a.project);
    CHECK(last.principal == town.a.member.to_string());
    CHECK(last.request == "0000000000000007");
  }

  TEST_CASE("a grant for one project says nothing about its sibling [R12]") {
    TwoTenants town;
    const auto sibling = town.all.project(town.a.organization, "sibling");

    const auto grant = town.all.grant(town.a.project_admin, sibling);

    CHECK(grant.require(permissions::edge_node_view, sibling).error().code() ==
          ErrorCode::not_found);
    CHECK_FALSE(town.all.grant(town.a.project_admin, town.a.project)
                    .allows(permissions::edge_node_view, sibling));
  }

  TEST_CASE("a member of an organization alone sees none of its projects") {
    TwoTenants town;
    const auto guest = town.all.user("guest", town.a.organization, Role::member);

    CHECK_FALSE(town.all.grant(guest, town.a.project).holds_any());
    CHECK_FALSE(town.all.grant(guest, town.a.organization).holds_any());
  }

  TEST_CASE("a project's administrator sees the organization around it and no more of it") {
    TwoTenants town;

    const auto grant = town.all.grant(town.a.project_admin, town.a.organization);

    CHECK(grant.allows(permissions::organization_view, town.a.organization));
    CHECK_FALSE(grant.allows(permissions::project_view, town.a.organization));
    CHECK_FALSE(grant.allows(permissions::organization_edit, town.a.organization));
  }

  TEST_CASE("rights that were taken meanwhile keep a change from being made [R15]") {
    TwoTenants town;
    const auto grant = town.all.grant(town.a.organization_admin, town.a.organization);
    REQUIRE(town.all.members.remove(town.all.system(town.a.organization), town.a.organization,
                                    town.a.organization_admin));

    const auto outcome =
        town.all.projects.create(grant, town.a.organization.organization, {"late", ""});

    CHECK(outcome.error().is(ecp::access::reasons::rights_changed));
    CHECK(town.all.projects
              .list(town.all.system(town.a.organization), town.a.organization.organization, {})
              .value()
              .total == 1);
    CHECK_FALSE(town.all.grant(town.a.organization_admin, town.a.organization).holds_any());
  }

  TEST_CASE("a disabled user's grants are empty at once [R15]") {
    TwoTenants town;
    REQUIRE(town.all.users.update(town.all.system(), town.a.member, ecp::Revision::first,
                                  {{}, {}, false}));

    CHECK_FALSE(town.all.grant(town.a.member, town.a.project).holds_any());
  }

  TEST_CASE("our own engines may do everything and are named in the audit log") {
    TwoTenants town;

    const auto grant = town.all.authorizer.system("presence", town.a.project);

    CHECK(grant.require(permissions::edge_node_revoke, town.a.project));
    CHECK(grant.principal().source == "presence");
  }
}
