// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/bootstrap.hpp>

#include <sys/stat.h>

#include <ecp/core/file.hpp>
#include <ecp/identity/reasons.hpp>

#include "support/people.hpp"

using ecp::Secret;
using ecp::identity::Bootstrap;
using ecp::identity::NewUser;
using ecp_test::good_password;
using ecp_test::must;

namespace {

struct Fresh : ecp_test::Town {
  ecp_test::TemporaryFolder folder;
  std::string path = folder.file("bootstrap-secret");
  Bootstrap bootstrap{*store, all.hasher, all.book, world.env(), path};

  static NewUser root() { return {"root@example.com", "Root", Secret(good_password)}; }
  [[nodiscard]] Secret secret() const { return must(ecp::read_secret_file(path, 256)); }
};

}  // namespace

TEST_SUITE("identity.Bootstrap") {
  TEST_CASE("a fresh platform lets nobody in, whatever he tries [R01]") {
    Fresh fresh;

    for (const char* const email : {"admin", "root", "admin@example.com", "ecp", ""}) {
      for (const char* const password : {"", "admin", "0000", "public", "ecp", "password"}) {
        CHECK_FALSE(fresh.all.sessions.log_in(email, Secret(password), {}));
      }
    }
    CHECK_FALSE(fresh.bootstrap.complete(Secret(""), Fresh::root(), {}));
    CHECK(fresh.all.users.list(fresh.all.system(), {}).value().total == 0);
  }

  TEST_CASE("the secret is 256 random bits in a file of mode 0600 [R01]") {
    Fresh fresh;

    CHECK(must(fresh.bootstrap.prepare()) == fresh.path);

    struct stat facts {};
    REQUIRE(::stat(fresh.path.c_str(), &facts) == 0);
    CHECK((facts.st_mode & 0777) == 0600);
    CHECK(must(ecp::from_base64url(fresh.secret().view().substr(5))).size() == 32);
  }

  TEST_CASE("two fresh platforms have different secrets [R02]") {
    Fresh one;
    ecp::ManualEnv other_world(2);
    Bootstrap other(*one.store, one.all.hasher, one.all.book, other_world.env(),
                    one.folder.file("other"));
    (void)must(one.bootstrap.prepare());
    (void)must(other.prepare());

    CHECK_FALSE(
        one.secret().equals(must(ecp::read_secret_file(one.folder.file("other"), 256)).view()));
  }

  TEST_CASE("the secret makes one administrator, once, and the file goes [R01]") {
    Fresh fresh;
    (void)must(fresh.bootstrap.prepare());
    const auto secret = fresh.secret();

    const auto user = must(fresh.bootstrap.complete(secret, Fresh::root(), {}));

    CHECK(fresh.all.grant(user.id).holds_any());
    CHECK(fresh.all.sessions.log_in("root@example.com", Secret(good_password), {}));
    CHECK_FALSE(ecp::read_file(fresh.path, 256));
    CHECK(fresh.bootstrap.complete(secret, {"eve@example.com", "Eve", Secret(good_password)}, {})
              .error()
              .is(ecp::identity::reasons::bad_bootstrap_secret));
    CHECK_FALSE(must(fresh.bootstrap.prepare()));
  }

  TEST_CASE("a wrong secret makes nobody and is audited [R01]") {
    Fresh fresh;
    (void)must(fresh.bootstrap.prepare());

    const auto outcome = fresh.bootstrap.complete(Secret("ecpb_wrong"), Fresh::root(), {});

    CHECK(outcome.error().code() == ecp::ErrorCode::unauthenticated);
    CHECK(fresh.all.entries().front().entry.outcome == ecp::audit::Outcome::denied);
  }

  TEST_CASE("trying secrets one after the other is slowed down [R05]") {
    Fresh fresh;
    (void)must(fresh.bootstrap.prepare());
    for (int i = 0; i < 100; ++i) {
      CHECK_FALSE(fresh.bootstrap.complete(Secret("ecpb_wrong"), Fresh::root(), {}));
    }

    CHECK(fresh.bootstrap.complete(fresh.secret(), Fresh::root(), {})
              .error()
              .is(ecp::identity::reasons::too_many_tries));
  }

  TEST_CASE("the secret is good for 24 hours, and the next start makes a new one [R01]") {
    Fresh fresh;
    (void)must(fresh.bootstrap.prepare());
    const auto old = fresh.secret();
    fresh.world.clock.advance(std::chrono::hours(24));

    CHECK_FALSE(fresh.bootstrap.complete(old, Fresh::root(), {}));
    (void)must(fresh.bootstrap.prepare());
    CHECK_FALSE(fresh.secret().equals(old.view()));
    CHECK(fresh.bootstrap.complete(fresh.secret(), Fresh::root(), {}));
  }

  TEST_CASE("a restart keeps a secret that is still good") {
    Fresh fresh;
    (void)must(fresh.bootstrap.prepare());
    const auto before = fresh.secret();

    (void)must(fresh.bootstrap.prepare());

    CHECK(fresh.secret().equals(before.view()));
  }

  TEST_CASE("a weak password leaves the secret for another try") {
    Fresh fresh;
    (void)must(fresh.bootstrap.prepare());

    CHECK_FALSE(fresh.bootstrap.complete(fresh.secret(),
                                         {"root@example.com", "Root", Secret("short")}, {}));
    CHECK(fresh.bootstrap.complete(fresh.secret(), Fresh::root(), {}));
  }
}
