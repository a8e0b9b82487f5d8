// SPDX-License-Identifier: Apache-2.0
// Stores of access, tenancy, identity and rbac, on every database.
#include <ecp/access/grant.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/identity/stores.hpp>
#include <ecp/rbac/membership.hpp>
#include <ecp/tenancy/stores.hpp>

#include "support/people.hpp"

using ecp::ErrorCode;
using ecp::Result;
using ecp::Revision;
using ecp::access::Scope;
using ecp::storage::Transaction;
using ecp_test::must;

namespace {

/// A fresh database of one kind, or none when there is no server of it.
template <class Backend>
class Opened {
 public:
  Opened() {
    if (Backend::is_available()) {
      store_ = must(Backend::open(ecp_test::people_modules(), world.env()));
    }
  }
  explicit operator bool() const noexcept { return store_ != nullptr; }
  /// Run a unit on one store, writing.
  template <class Store, class Unit>
  auto on(Unit&& unit) {
    return store_->write([&](Transaction& transaction) { return unit(transaction.get<Store>()); });
  }

  ecp::ManualEnv world;

 private:
  std::unique_ptr<ecp::storage::Store> store_;
};

ecp::tenancy::Organization organization(ecp::ManualEnv& world, const std::string& name) {
  return {world.ids.next<ecp::access::OrganizationId>(), Revision::first, world.clock.now(), name,
          "about " + name};
}

ecp::identity::User user(ecp::ManualEnv& world, const std::string& name) {
  ecp::identity::User made;
  made.id = world.ids.next<ecp::access::UserId>();
  made.revision = Revision::first;
  made.created_at = world.clock.now();
  made.email = name + "@example.com";
  made.name = name;
  return made;
}

}  // namespace

TEST_SUITE("conformance.people") {
  TEST_CASE_TEMPLATE("PrincipalStore: revisions begin at the first and only rise", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Store = ecp::access::PrincipalStore;
    const auto id = opened.world.ids.next_bytes();
    const auto revision = [&] {
      return must(opened.template on<Store>([&](Store& store) { return store.revision(id); }));
    };

    CHECK(revision() == Revision::first);
    for (int i = 2; i < 5; ++i) {
      REQUIRE(opened.template on<Store>(
          [&](Store& store) { return store.touch(id, opened.world.clock.now()); }));
      CHECK(ecp::to_number(revision()) == i);
    }
  }

  TEST_CASE_TEMPLATE("OrganizationStore: what was inserted is read back, by name and in pages",
                     Backend, ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Store = ecp::tenancy::OrganizationStore;
    for (const char* const name : {"beta", "Alpha", "gamma \xc3\xa9"}) {
      REQUIRE(opened.template on<Store>(
          [&](Store& store) { return store.insert(organization(opened.world, name)); }));
    }

    const auto page = must(opened.template on<Store>([](Store& store) {
      return store.list({2, 0});
    }));
    const auto rest = must(opened.template on<Store>([](Store& store) {
      return store.list({2, 2});
    }));

    CHECK(page.total == 3);
    REQUIRE(page.items.size() == 2);
    CHECK(page.items[0].name == "Alpha");
    CHECK(page.items[0].description == "about Alpha");
    CHECK(page.items[0].created_at == opened.world.clock.now());
    CHECK(page.items[1].name == "beta");
    CHECK(rest.items.at(0).name == "gamma \xc3\xa9");
  }

  TEST_CASE_TEMPLATE("OrganizationStore: stale, unknown and taken are told apart", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Store = ecp::tenancy::OrganizationStore;
    auto one = organization(opened.world, "one");
    const auto two = organization(opened.world, "two");
    const auto act = [&](auto&& unit) { return opened.template on<Store>(unit); };
    REQUIRE(act([&](Store& store) { return store.insert(one); }));
    REQUIRE(act([&](Store& store) { return store.insert(two); }));

    CHECK(act([&](Store& store) { return store.insert(organization(opened.world, "ONE")); })
              .error()
              .is(ecp::reasons::name_taken));
    one.name = "Two";
    CHECK(
        act([&](Store& store) { return store.update(one); }).error().is(ecp::reasons::name_taken));
    one.name = "three";
    CHECK(must(act([&](Store& store) { return store.update(one); })) == ecp::next(Revision::first));
    CHECK(act([&](Store& store) { return store.update(one); })
              .error()
              .is(ecp::reasons::stale_revision));
    CHECK(act([&](Store& store) { return store.remove(one.id, Revision::first); })
              .error()
              .is(ecp::reasons::stale_revision));
    CHECK(act([&](Store& store) { return store.remove(one.id, ecp::next(Revision::first)); }));
    CHECK(act([&](Store& store) { return store.remove(one.id, Revision::first); }).error().code() ==
          ErrorCode::not_found);
  }

  TEST_CASE_TEMPLATE("ProjectStore: a project is seen through its own organization only", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Organizations = ecp::tenancy::OrganizationStore;
    using Store = ecp::tenancy::ProjectStore;
    const auto one = organization(opened.world, "one");
    const auto two = organization(opened.world, "two");
    for (const auto& each : {one, two}) {
      REQUIRE(opened.template on<Organizations>(
          [&](Organizations& store) { return store.insert(each); }));
    }
    const ecp::tenancy::Project project{opened.world.ids.template next<ecp::access::ProjectId>(),
                                        one.id,
                                        Revision::first,
                                        opened.world.clock.now(),
                                        "p",
                                        ""};
    const auto act = [&](auto&& unit) { return opened.template on<Store>(unit); };
    REQUIRE(act([&](Store& store) { return store.insert(project); }));

    CHECK(must(act([&](Store& store) { return store.get(one.id, project.id); })).name == "p");
    CHECK(act([&](Store& store) { return store.get(two.id, project.id); }).error().code() ==
          ErrorCode::not_found);
    CHECK(act([&](Store& store) { return store.remove(two.id, project.id, Revision::first); })
              .error()
              .code() == ErrorCode::not_found);
    CHECK(must(act([&](Store& store) { return store.count(one.id); })) == 1);
    CHECK(must(act([&](Store& store) { return store.list(two.id, {}); })).total == 0);
  }

  TEST_CASE_TEMPLATE("UserStore: people, their addresses and their hashes", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Store = ecp::identity::UserStore;
    auto ann = user(opened.world, "Ann");
    const auto act = [&](auto&& unit) { return opened.template on<Store>(unit); };
    REQUIRE(act([&](Store& store) { return store.insert(ann, "hash one"); }));

    const auto found =
        must(act([&](Store& store) { return store.find_by_email("aNN@EXAMPLE.com"); }));
    REQUIRE(found);
    CHECK(found->email == "Ann@example.com");
    CHECK_FALSE(found->last_login_at);
    CHECK(found->enabled);
    CHECK_FALSE(must(act([&](Store& store) { return store.find_by_email("bob@example.com"); })));
    CHECK_FALSE(act([&](Store& store) { return store.insert(user(opened.world, "ANN"), "x"); }));

    REQUIRE(act([&](Store& store) { return store.set_password_hash(ann.id, "hash two"); }));
    REQUIRE(act([&](Store& store) { return store.note_login(ann.id, opened.world.clock.now()); }));
    CHECK(must(act([&](Store& store) { return store.password_hash(ann.id); })) == "hash two");
    ann.enabled = false;
    REQUIRE(act([&](Store& store) { return store.update(ann); }));
    const auto changed = must(act([&](Store& store) { return store.get(ann.id); }));
    CHECK_FALSE(changed.enabled);
    CHECK(changed.last_login_at == opened.world.clock.now());
    CHECK(changed.revision == ecp::next(Revision::first));
  }

  TEST_CASE_TEMPLATE("SessionStore: sessions are found by their tokens and end with their user",
                     Backend, ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Users = ecp::identity::UserStore;
    using Store = ecp::identity::SessionStore;
    const auto ann = user(opened.world, "ann");
    REQUIRE(opened.template on<Users>([&](Users& store) { return store.insert(ann, "x"); }));
    ecp::identity::Session session;
    session.id = opened.world.ids.template next<ecp::identity::SessionId>();
    session.user = ann.id;
    session.source = "session";
    session.access_hash = "a1";
    session.family_hash = "f";
    session.refresh_hash = "r1";
    session.access_expires_at = session.created_at = session.refreshed_at =
        opened.world.clock.now();
    const auto act = [&](auto&& unit) { return opened.template on<Store>(unit); };
    REQUIRE(act([&](Store& store) { return store.insert(session); }));

    CHECK(must(act([&](Store& store) { return store.find_by_access("a1"); }))->id == session.id);
    session.access_hash = "a2";
    REQUIRE(act([&](Store& store) { return store.update(session); }));
    CHECK_FALSE(must(act([&](Store& store) { return store.find_by_access("a1"); })));
    CHECK(must(act([&](Store& store) { return store.find_by_family("f"); }))->access_hash == "a2");
    CHECK(act([&](Store& store) {
      return store.remove_old(opened.world.clock.now(), opened.world.clock.now());
    }));
    CHECK(must(act([&](Store& store) { return store.remove_of_user(ann.id); })) == 1);
    CHECK(act([&](Store& store) { return store.update(session); }).error().code() ==
          ErrorCode::not_found);
  }

  TEST_CASE_TEMPLATE("OneTimeStore: a secret is taken once and not after its time", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Store = ecp::identity::OneTimeStore;
    const auto now = opened.world.clock.now();
    const auto act = [&](auto&& unit) { return opened.template on<Store>(unit); };
    const auto insert = [&](const char* purpose, const char* hash) {
      REQUIRE(act([&](Store& store) {
        return store.insert(purpose, hash, "who", now + ecp::Milliseconds(10));
      }));
    };
    insert("p", "h");
    insert("p", "late");
    insert("q", "other");

    CHECK(must(act([&](Store& store) { return store.is_good("p", "h", now); })));
    CHECK_FALSE(must(act([&](Store& store) { return store.is_good("q", "h", now); })));
    CHECK(must(act([&](Store& store) { return store.take("p", "h", now); })) == "who");
    CHECK_FALSE(must(act([&](Store& store) { return store.take("p", "h", now); })));
    CHECK_FALSE(must(
        act([&](Store& store) { return store.take("p", "late", now + ecp::Milliseconds(10)); })));
    REQUIRE(act([&](Store& store) { return store.remove_all("p"); }));
    CHECK_FALSE(must(act([&](Store& store) { return store.is_good("p", "late", now); })));
    CHECK(must(act([&](Store& store) { return store.is_good("q", "other", now); })));
  }

  TEST_CASE_TEMPLATE("AttemptStore: failures are kept until they are old and few", Backend,
                     ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using Store = ecp::identity::AttemptStore;
    const auto now = opened.world.clock.now();
    const auto act = [&](auto&& unit) { return opened.template on<Store>(unit); };
    REQUIRE(act([&](Store& store) { return store.put("a", {3, 3, now, now, now}); }));
    REQUIRE(act([&](Store& store) { return store.put("a", {4, 5, now, now, now}); }));
    REQUIRE(act([&](Store& store) { return store.put("locked", {1, 100, now, now, now}); }));

    CHECK(must(act([&](Store& store) { return store.get("a"); })).consecutive == 5);
    CHECK(must(act([&](Store& store) { return store.get("b"); })).in_window == 0);
    REQUIRE(act([&](Store& store) { return store.remove_old(now + ecp::Milliseconds(1), 100); }));
    CHECK(must(act([&](Store& store) { return store.get("a"); })).consecutive == 0);
    CHECK(must(act([&](Store& store) { return store.get("locked"); })).consecutive == 100);
  }

  TEST_CASE_TEMPLATE("MembershipStore: one role per place, and places end from the outside in",
                     Backend, ECP_TEST_BACKENDS) {
    Opened<Backend> opened;
    if (!opened) return;
    using ecp::rbac::Role;
    using Store = ecp::rbac::MembershipStore;
    const auto ann = opened.world.ids.template next<ecp::access::UserId>();
    const auto bob = opened.world.ids.template next<ecp::access::UserId>();
    const Scope outer{opened.world.ids.template next<ecp::access::OrganizationId>(), {}};
    const Scope inner{outer.organization, opened.world.ids.template next<ecp::access::ProjectId>()};
    const auto act = [&](auto&& unit) { return opened.template on<Store>(unit); };
    const auto put = [&](ecp::access::UserId who, const Scope& scope, Role role) {
      REQUIRE(act([&](Store& store) {
        return store.put({who, scope, role, opened.world.clock.now()});
      }));
    };
    for (const auto who : {ann, bob}) {
      put(who, {}, Role::system_admin);
      put(who, outer, Role::member);
      put(who, inner, Role::project_admin);
    }
    put(ann, inner, Role::member);

    CHECK(must(act([&](Store& store) { return store.find(ann, inner); }))->role == Role::member);
    CHECK(must(act([&](Store& store) { return store.list(inner, {1, 0}); })).total == 2);
    CHECK(must(act([&](Store& store) { return store.of_user(ann); })).size() == 3);
    REQUIRE(act([&](Store& store) { return store.remove_inside(ann, outer); }));
    CHECK(must(act([&](Store& store) { return store.of_user(ann); })).size() == 1);
    REQUIRE(act([&](Store& store) { return store.remove_inside(bob, {}); }));
    CHECK(must(act([&](Store& store) { return store.of_user(bob); })).size() == 2);
    REQUIRE(act([&](Store& store) { return store.remove_scope(outer); }));
    CHECK(must(act([&](Store& store) { return store.of_user(bob); })).empty());
    REQUIRE(act([&](Store& store) { return store.remove_user(ann); }));
    CHECK(must(act([&](Store& store) { return store.of_user(ann); })).empty());
  }
}
