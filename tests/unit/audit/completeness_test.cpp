// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <ecp/audit/audit_store.hpp>

#include "support/faulty_store.hpp"
#include "unit/audit/log_book.hpp"

using ecp::Revision;
using ecp::Secret;
using ecp::rbac::Role;
using ecp_test::good_password;
using ecp_test::TwoTenants;

namespace {

/// One change, and the operation that must be recorded for it.
struct Change {
  const char* operation;
  std::function<bool(TwoTenants&)> make;
};

const Change changes[] = {
    {"organization.create",
     [](TwoTenants& t) {
       return t.all.organizations.create(t.all.grant(t.admin), {"x", ""}).has_value();
     }},
    {"organization.edit",
     [](TwoTenants& t) {
       return t.all.organizations
           .update(t.all.grant(t.admin), t.a.organization.organization, Revision::first, {"x", {}})
           .has_value();
     }},
    {"project.create",
     [](TwoTenants& t) {
       return t.all.projects.create(t.all.grant(t.admin), t.a.organization.organization, {"x", ""})
           .has_value();
     }},
    {"project.edit",
     [](TwoTenants& t) {
       return t.all.projects.update(t.all.grant(t.admin), t.a.project, Revision::first, {"x", {}})
           .has_value();
     }},
    {"project.delete",
     [](TwoTenants& t) {
       return t.all.projects.remove(t.all.grant(t.admin), t.a.project, Revision::first).has_value();
     }},
    {"member.put",
     [](TwoTenants& t) {
       return t.all.members.put(t.all.grant(t.admin), t.a.organization, t.b.member, Role::member)
           .has_value();
     }},
    {"member.remove",
     [](TwoTenants& t) {
       return t.all.members.remove(t.all.grant(t.admin), t.a.project, t.a.member).has_value();
     }},
    {"user.create",
     [](TwoTenants& t) {
       return t.all.users
           .create(t.all.grant(t.admin), {"x@example.com", "x", Secret(good_password)})
           .has_value();
     }},
    {"user.edit",
     [](TwoTenants& t) {
       return t.all.users.update(t.all.grant(t.admin), t.a.member, Revision::first, {{}, "x", {}})
           .has_value();
     }},
    {"user.disable",
     [](TwoTenants& t) {
       return t.all.users.update(t.all.grant(t.admin), t.a.member, Revision::first, {{}, {}, false})
           .has_value();
     }},
    {"user.reset_password",
     [](TwoTenants& t) {
       return t.all.users
           .reset_password(t.all.grant(t.admin), t.a.member, Secret("another long password"))
           .has_value();
     }},
    {"user.delete",
     [](TwoTenants& t) {
       return t.all.users.remove(t.all.grant(t.admin), t.a.member, Revision::first).has_value();
     }},
    {"session.log_in",
     [](TwoTenants& t) {
       return t.all.sessions.log_in("root@example.com", Secret(good_password), {}).has_value();
     }},
    {"session.log_in",
     [](TwoTenants& t) {
       return !t.all.sessions.log_in("root@example.com", Secret("wrong"), {}).has_value();
     }},
    {"session.make_link",
     [](TwoTenants& t) {
       return t.all.sessions.make_login_link(t.all.grant(t.admin), "root@example.com").has_value();
     }},
};

}  // namespace

TEST_SUITE("audit.completeness") {
  TEST_CASE("each change is recorded exactly once, with who, where and what [R34]") {
    for (const auto& change : changes) {
      CAPTURE(change.operation);
      TwoTenants town;
      const auto before = town.all.entries().size();

      REQUIRE(change.make(town));

      const auto entries = town.all.entries();
      REQUIRE(entries.size() == before + 1);
      CHECK(entries[0].entry.operation == change.operation);
      CHECK_FALSE(entries[0].entry.subject_kind.empty());
      CHECK_FALSE(entries[0].entry.source.empty());
      CHECK(entries[0].entry.at == town.world.clock.now());
    }
  }

  TEST_CASE("an entry that cannot be stored undoes its change [R34]") {
    ecp_test::Town town;
    town.all.organization("kept");
    REQUIRE(town.store->write([](ecp::storage::Transaction& transaction) {
      return transaction.connection().execute("ALTER TABLE audit_entries RENAME TO audit_gone");
    }));

    const auto outcome = town.all.organizations.create(town.all.system(), {"lost", ""});

    CHECK_FALSE(outcome);
    REQUIRE(town.store->write([](ecp::storage::Transaction& transaction) {
      return transaction.connection().execute("ALTER TABLE audit_gone RENAME TO audit_entries");
    }));
    CHECK(town.all.organizations.list(town.all.system(), {}).value().total == 1);
  }

  TEST_CASE("no password or token is ever in the audit log [R36]") {
    TwoTenants town;
    const auto tokens =
        ecp_test::must(town.all.sessions.log_in("root@example.com", Secret(good_password), {}));
    (void)town.all.sessions.log_in("my secret typed in the wrong field", Secret("x"), {});
    REQUIRE(town.all.sessions.log_out(tokens.access_token.view(), {}));

    for (const auto& stored : town.all.entries()) {
      const auto octets = ecp::audit::canonical_octets(stored.entry);
      CHECK(octets.find(good_password) == std::string::npos);
      CHECK(octets.find("my secret") == std::string::npos);
      CHECK(octets.find(tokens.access_token.view()) == std::string::npos);
      CHECK(octets.find(tokens.refresh_token.view()) == std::string::npos);
    }
  }

  TEST_CASE("an organization's audit log holds nothing of another's [R16]") {
    TwoTenants town;
    (void)town.all.grant(town.a.member, town.b.project)
        .require(ecp::access::permissions::edge_node_view, town.b.project);
    ecp::audit::EntryQuery query;
    query.scope = town.b.organization;

    const auto seen = ecp_test::must(town.all.audit.list(
        town.all.grant(town.b.organization_admin, town.b.organization), query, {200, 0}));

    CHECK(seen.total > 0);
    for (const auto& stored : seen.items) {
      const auto octets = ecp::audit::canonical_octets(stored.entry);
      for (const char* const name : {"canary-org-a", "canary-project-a", "admin-a", "member-a"}) {
        CHECK(octets.find(name) == std::string::npos);
      }
      CHECK(octets.find(town.a.organization.organization.to_string()) == std::string::npos);
      CHECK(octets.find(town.a.member.to_string()) == std::string::npos);
    }
  }
}
