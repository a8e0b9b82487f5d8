// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <sys/stat.h>

#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/fleet/enrollment.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/pki/certificate.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/tenancy/registries.hpp>

#include "unit/plane/plane_world.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using plane::ControlPlane;

unsigned mode_of(const std::string& path) {
  struct stat status {};
  return ::stat(path.c_str(), &status) == 0 ? status.st_mode & 0777u : 0;
}

/// A project of a fresh organization.
access::Scope new_project(ControlPlane& plane) {
  const auto platform = plane.authorizer().system("test", access::Scope::platform());
  const auto organization = must(plane.organizations().create(platform, {"Works", ""}));
  const access::Scope around{organization.id, {}};
  const auto grant = plane.authorizer().system("test", around);
  return {organization.id, must(plane.projects().create(grant, organization.id, {"Hall", ""})).id};
}

/// A project with an enrollment token for `uses` machines.
struct Line {
  explicit Line(ControlPlane& owner, std::int64_t uses = 1)
      : plane(owner),
        scope(new_project(owner)),
        grant(owner.authorizer().system("test", scope)),
        token(must(owner.enrollment_tokens().create(grant, {"line", uses, Milliseconds(3'600'000)}))
                  .text) {}
  auto enroll(const std::string& name) {
    const auto csr = must(pki::make_csr(must(pki::make_p256_key()), "any"));
    return plane.enrollment().enroll(token.view(), csr, name, {});
  }
  ControlPlane& plane;
  access::Scope scope;
  access::Grant grant;
  Secret token;
};

TEST_SUITE("plane.ControlPlane") {
  TEST_CASE("an empty folder becomes a control plane with a CA and a secret for the first admin") {
    PlaneWorld place;

    const auto plane = must(place.open());

    CHECK(mode_of(place.config().data_folder) == 0700);
    CHECK(mode_of(plane->root_path()) == 0644);
    CHECK(must(read_file(plane->root_path(), 64 * kibibyte)) == plane->authority().root_pem());
    CHECK(mode_of(plane->bootstrap_secret_path()) == 0600);
    CHECK(mode_of(place.folder.file("plane/master.key")) == 0600);
    CHECK(mode_of(place.folder.file("plane/gateway.pem")) == 0600);
  }

  TEST_CASE("keys and certificates outlive the program") {
    PlaneWorld place;
    auto plane = must(place.open());
    const auto root = plane->authority().root_pem();
    const auto https = must(plane->server_tls()).certificate_chain_pem;
    plane.reset();

    plane = must(place.open());

    CHECK(plane->authority().root_pem() == root);
    CHECK(must(plane->server_tls()).certificate_chain_pem == https);
  }

  TEST_CASE("another master key opens nothing") {
    PlaneWorld place;
    must(place.open()).reset();
    plane::Parts parts;
    parts.master_key = Secret(std::string(64, 'e'));
    parts.store = place.open_store();
    parts.gateway = place.network.gateway();

    const auto opened = ControlPlane::open(place.config(), std::move(parts), place.world.env());

    CHECK(failure(opened) == "platform.wrong_master_key");
  }

  TEST_CASE("the first administrator uses the secret up") {
    PlaneWorld place;
    const auto plane = must(place.open());

    place.make_admin(*plane);

    CHECK(plane->bootstrap_secret_path().empty());
    CHECK(plane->sessions().log_in("admin@example.com", Secret("green-valve-turns-slowly"), {}));
  }

  TEST_CASE("the HTTPS chain names its hosts and ends in our root, whose hash tokens carry") {
    PlaneWorld place;
    const auto plane = must(place.open());
    const auto tls = must(plane->server_tls());

    for (const auto* host : {"plane.example.com", "localhost", "127.0.0.1"}) {
      CAPTURE(host);
      const pki::ChainQuestion question{
          tls.certificate_chain_pem, {},  plane->authority().root_pem(), place.world.clock.now(),
          pki::Usage::server,        host};
      CHECK(pki::verify_chain(question));
    }
    CHECK(tls.client_ca_pem == plane->authority().agent_ca_pem());
    const auto pin = to_hex(must(pki::last_certificate_digest(tls.certificate_chain_pem)));
    CHECK(Line(*plane).token.view().ends_with("." + pin));
  }

  TEST_CASE("an enrolled agent is told brokers, addresses, roots and the manifest key") {
    PlaneWorld place;
    const auto plane = must(place.open());

    const auto answer = must(Line(*plane).enroll("press-7"));

    CHECK(answer.link.agent == answer.agent);
    CHECK(answer.link.https_urls == place.config().agent_urls);
    REQUIRE(answer.link.brokers.size() == 1);
    CHECK(answer.link.brokers[0].port == 8883);
    CHECK(answer.link.trust_roots_pem == plane->authority().root_pem());
    REQUIRE(answer.link.manifest_keys.size() == 1);
    CHECK(answer.link.manifest_keys[0].public_key.size() == 32);
  }

  TEST_CASE("a project with edge nodes cannot be removed, one without can, with all its tokens") {
    PlaneWorld place;
    const auto plane = must(place.open());
    Line line(*plane, 2);
    const auto node = must(line.enroll("press-7")).agent;

    CHECK(failure(plane->projects().remove(line.grant, line.scope, Revision::first)) ==
          "tenancy.not_empty");
    must(plane->edge_nodes().remove(line.grant, node, Revision::first));
    CHECK(plane->projects().remove(line.grant, line.scope, Revision::first));
    CHECK_FALSE(line.enroll("press-8"));
  }

  TEST_CASE("[R17] a second machine with a used-up token is refused and an alarm for a day") {
    PlaneWorld place;
    const auto plane = must(place.open());
    Line line(*plane);
    alarm::AlarmQuery active;
    active.project = line.scope.project;
    active.state = alarm::AlarmState::active;
    const auto count = [&] { return must(plane->alarms().list(line.grant, active, {})).total; };

    must(line.enroll("press-7"));
    CHECK(count() == 0);
    CHECK(failure(line.enroll("press-8")) == "enrollment.token_used");
    CHECK(count() == 1);
    place.world.clock.advance(std::chrono::hours(24));
    place.world.executor.advance(std::chrono::minutes(1));
    CHECK(count() == 0);
  }

  TEST_CASE_TEMPLATE(
      "on every database a fresh control plane takes its first admin, node and service", Backend,
      ECP_TEST_BACKENDS) {
    if (!Backend::is_available()) return;
    PlaneWorld place;
    must(make_private_folder(place.config().data_folder));
    const auto plane =
        must(place.open_on(must(Backend::open(plane::store_modules(), place.world.env()))));
    place.make_admin(*plane);
    Line line(*plane);

    const auto node = must(line.enroll("press-7")).agent;
    fleet::EdgeServiceRegistry::NewService wanted;
    wanted.name = "press";
    wanted.node = node;
    wanted.kind = "pipeline";
    wanted.runtime = "builtin";
    wanted.config_json = R"({"drivers":[]})";
    const auto service = must(plane->edge_services().create(line.grant, wanted));

    CHECK(plane->sessions().log_in("admin@example.com", Secret("green-valve-turns-slowly"), {}));
    CHECK(must(plane->edge_nodes().get(line.grant, node)).name == "press-7");
    CHECK(must(plane->edge_services().get(line.grant, service.id)).name == "press");
    plane->stop();
  }

  TEST_CASE("certificates are renewed while the program runs") {
    PlaneWorld place;
    const auto plane = must(place.open());
    const auto path = place.folder.file("plane/gateway.pem");
    const auto gateway = must(read_file(path, 64 * kibibyte));
    const auto https = must(plane->server_tls()).certificate_chain_pem;
    int told = 0;
    plane->on_server_tls([&] { ++told; });

    place.world.clock.advance(std::chrono::hours(24 * 61));
    place.world.executor.advance(std::chrono::hours(1));

    CHECK(must(read_file(path, 64 * kibibyte)) != gateway);
    CHECK(must(plane->server_tls()).certificate_chain_pem != https);
    CHECK(told == 1);
  }

  TEST_CASE("two control planes do not share a data folder") {
    PlaneWorld place;
    const auto plane = must(place.open());

    CHECK(failure(place.open()) == "plane.folder_in_use");
  }

  TEST_CASE("a store that is no known one is refused without showing its password") {
    PlaneWorld place;
    auto config = place.config();
    config.store_url = "mysql://root:secret@db";
    plane::Parts parts;
    parts.gateway = place.network.gateway();

    const auto opened = ControlPlane::open(config, std::move(parts), place.world.env());

    REQUIRE_FALSE(opened);
    CHECK(failure(opened) == "plane.unknown_store");
    CHECK(opened.error().describe().find("secret") == std::string::npos);
  }

  TEST_CASE("values are never kept in files when PostgreSQL is named for them") {
    PlaneWorld place;
    auto config = place.config();
    config.series_url = "postgresql://nobody:secret@127.0.0.1:1/none";
    plane::Parts parts;
    parts.gateway = place.network.gateway();

    const auto opened = ControlPlane::open(config, std::move(parts), place.world.env());

    REQUIRE_FALSE(opened);
    CHECK(opened.error().describe().find("secret") == std::string::npos);
    CHECK_FALSE(std::filesystem::exists(config.data_folder + "/series"));
  }

  TEST_CASE("stop may be called twice, and afterwards the store takes nothing more") {
    PlaneWorld place;
    const auto plane = must(place.open());

    plane->stop();
    plane->stop();

    const auto written =
        plane->store().write([](storage::Transaction&) -> Result<void> { return {}; });
    CHECK_FALSE(written);
  }

  TEST_CASE("all reasons have numbers and symbols of their own") {
    CHECK(plane::reason_catalogue().all().size() > 50);
  }
}

}  // namespace
}  // namespace ecp_test
