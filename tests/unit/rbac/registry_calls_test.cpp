// SPDX-License-Identifier: Apache-2.0
// Each call of the registries below rbac, tried with every permission but the one it needs.
#include <functional>

#include "support/people.hpp"

using ecp::ErrorCode;
using ecp::Revision;
using ecp::Secret;
using ecp::access::Grant;
using ecp::access::Permission;
using ecp::access::Scope;
using ecp::rbac::Role;
using ecp_test::TwoTenants;
namespace permissions = ecp::access::permissions;

namespace {

/// One call, what it needs, and where it is asked for. The outcome is none on success.
struct Call {
  const char* name;
  std::vector<const Permission*> needs;
  Scope scope;
  std::function<std::optional<ecp::Error>(const Grant&)> run;
};

template <class T>
std::optional<ecp::Error> outcome(const ecp::Result<T>& result) {
  if (result) return std::nullopt;
  return result.error();
}

std::vector<Call> calls_of(TwoTenants& town) {
  namespace p = permissions;
  auto& all = town.all;
  const Scope org = town.a.organization;
  const Scope project = town.a.project;
  const auto user = town.a.member;
  const auto id = org.organization;
  return {
      {"organizations.create",
       {&p::organization_create},
       {},
       [&all](const Grant& g) {
         return outcome(all.organizations.create(g, {"x", ""}));
       }},
      {"organizations.get",
       {&p::organization_view},
       org,
       [&all, id](const Grant& g) { return outcome(all.organizations.get(g, id)); }},
      {"organizations.list",
       {&p::organization_view},
       {},
       [&all](const Grant& g) { return outcome(all.organizations.list(g, {})); }},
      {"organizations.update",
       {&p::organization_edit},
       org,
       [&all, id](const Grant& g) {
         return outcome(all.organizations.update(g, id, Revision::first, {"y", {}}));
       }},
      {"organizations.remove",
       {&p::organization_delete},
       {},
       [&all, id](const Grant& g) {
         return outcome(all.organizations.remove(g, id, Revision::first));
       }},
      {"projects.create",
       {&p::project_create},
       org,
       [&all, id](const Grant& g) {
         return outcome(all.projects.create(g, id, {"x", ""}));
       }},
      {"projects.get",
       {&p::project_view},
       project,
       [&all, project](const Grant& g) { return outcome(all.projects.get(g, project)); }},
      {"projects.list",
       {&p::project_view},
       org,
       [&all, id](const Grant& g) { return outcome(all.projects.list(g, id, {})); }},
      {"projects.update",
       {&p::project_edit},
       project,
       [&all, project](const Grant& g) {
         return outcome(all.projects.update(g, project, Revision::first, {"y", {}}));
       }},
      {"projects.remove",
       {&p::project_delete},
       project,
       [&all, project](const Grant& g) {
         return outcome(all.projects.remove(g, project, Revision::first));
       }},
      {"users.create",
       {&p::user_create},
       {},
       [&all](const Grant& g) {
         return outcome(
             all.users.create(g, {"new@example.com", "new", Secret(ecp_test::good_password)}));
       }},
      {"users.get",
       {&p::user_view},
       {},
       [&all, user](const Grant& g) { return outcome(all.users.get(g, user)); }},
      {"users.find_by_email",
       {&p::user_view},
       {},
       [&all](const Grant& g) {
         return outcome(all.users.find_by_email(g, "member-a@example.com"));
       }},
      {"users.list",
       {&p::user_view},
       {},
       [&all](const Grant& g) { return outcome(all.users.list(g, {})); }},
      {"users.update",
       {&p::user_edit, &p::user_enable},
       {},
       [&all, user](const Grant& g) {
         return outcome(all.users.update(g, user, Revision::first, {{}, "other", true}));
       }},
      {"users.remove",
       {&p::user_delete},
       {},
       [&all, user](const Grant& g) {
         return outcome(all.users.remove(g, user, Revision::first));
       }},
      {"users.reset_password",
       {&p::user_reset_password},
       {},
       [&all, user](const Grant& g) {
         return outcome(all.users.reset_password(g, user, Secret("another long password")));
       }},
      {"sessions.make_login_link",
       {&p::user_reset_password},
       {},
       [&all](const Grant& g) {
         return outcome(all.sessions.make_login_link(g, "member-a@example.com"));
       }},
      {"members.list",
       {&p::member_view},
       project,
       [&all, project](const Grant& g) { return outcome(all.members.list(g, project, {})); }},
      {"members.put",
       {&p::role_grant_member},
       project,
       [&all, project, user](const Grant& g) {
         return outcome(all.members.put(g, project, user, Role::member));
       }},
      {"members.put_by_email",
       {&p::role_grant_organization_member},
       org,
       [&all, org](const Grant& g) {
         return outcome(all.members.put_by_email(g, org, "member-a@example.com", Role::member));
       }},
      {"members.remove",
       {&p::member_edit, &p::role_grant_member},
       project,
       [&all, project, user](const Grant& g) {
         return outcome(all.members.remove(g, project, user));
       }},
      {"audit.list",
       {&p::audit_view},
       project,
       [&all, project](const Grant& g) {
         ecp::audit::EntryQuery query;
         query.scope = project;
         return outcome(all.audit.list(g, query, {}));
       }},
  };
}

bool is_refusal(const std::optional<ecp::Error>& error) {
  return error &&
         (error->code() == ErrorCode::permission_denied || error->code() == ErrorCode::not_found);
}

Grant all_but(TwoTenants& town, const Permission& missing, const Scope& scope) {
  std::vector<const Permission*> others = town.all.permissions.all();
  others.erase(std::find(others.begin(), others.end(), &missing));
  return town.all.authorizer.system("test", scope, others);
}

}  // namespace

TEST_SUITE("rbac.registry_calls") {
  TEST_CASE(
      "a call with every permission but the needed one is refused, audited, and changes "
      "nothing [R13][R34]") {
    TwoTenants town;
    for (const auto& call : calls_of(town)) {
      for (const auto* const missing : call.needs) {
        CAPTURE(call.name);
        CAPTURE(missing->name);
        const auto before = town.all.entries();
        const auto grant = all_but(town, *missing, call.scope);

        const auto error = call.run(grant);

        CHECK(is_refusal(error));
        const auto after = town.all.entries();
        REQUIRE(after.size() == before.size() + 1);
        CHECK(after[0].entry.outcome == ecp::audit::Outcome::denied);
        CHECK(after[0].entry.subject_name == missing->name);
      }
    }
  }

  TEST_CASE("a call with the needed permissions alone is allowed") {
    for (std::size_t index = 0; index < 23; ++index) {
      TwoTenants town;
      const auto call = calls_of(town)[index];
      CAPTURE(call.name);

      const auto error = call.run(town.all.authorizer.system("test", call.scope, call.needs));

      CHECK_FALSE((error && error->code() == ErrorCode::permission_denied));
    }
  }

  TEST_CASE("a call on a foreign organization is refused as one on an unknown one [R12][R16]") {
    TwoTenants town;
    for (const auto& call : calls_of(town)) {
      if (call.scope.level() == ecp::access::ScopeLevel::platform) continue;
      CAPTURE(call.name);

      const auto error = call.run(town.all.grant(town.b.organization_admin, call.scope));

      REQUIRE(error);
      CHECK(error->code() == ErrorCode::not_found);
      CHECK(error->describe().find("canary") == std::string::npos);
    }
  }
}
