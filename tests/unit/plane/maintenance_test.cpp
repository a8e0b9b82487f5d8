// SPDX-License-Identifier: Apache-2.0
#include <ecp/plane/maintenance.hpp>

#include "unit/plane/plane_world.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

TEST_SUITE("plane.maintenance") {
  TEST_CASE("the audit log of a stopped control plane is whole and sealed to its end [R34]") {
    PlaneWorld place;
    auto plane = must(place.open());
    place.make_admin(*plane);
    plane.reset();

    const auto report = must(plane::verify_audit(place.config(), {}, place.world.env()));

    CHECK(report.is_whole());
    std::int64_t unsealed = 0;
    std::int64_t entries = 0;
    for (const auto& chain : report.chains) {
      unsealed += chain.unsealed;
      entries += chain.entries;
    }
    CHECK(entries > 0);
    CHECK(unsealed == 0);
  }

  TEST_CASE("in a folder where nothing ran, nothing is made") {
    PlaneWorld place;
    auto config = place.config();
    config.data_folder = place.folder.file("empty");

    CHECK(failure(plane::verify_audit(config, {}, place.world.env())) == "plane.nothing_here");
    CHECK(failure(plane::make_login_link(config, "a@example.com", place.world.env())) ==
          "plane.nothing_here");
    CHECK_FALSE(read_file(config.data_folder + "/master.key", 100));
    CHECK_FALSE(read_file(config.data_folder + "/ecpd.db", 100));
  }

  TEST_CASE("a missing checkpoint is noticed by the file beside the database [R35]") {
    PlaneWorld place;
    auto plane = must(place.open());
    place.make_admin(*plane);
    plane.reset();
    const auto path = place.folder.file("plane/audit-checkpoints.jsonl");
    auto lines = must(read_file(path, mebibyte));
    REQUIRE(lines.size() > 10);
    lines[lines.size() / 2] = lines[lines.size() / 2] == 'a' ? 'b' : 'a';
    must(write_file_durably(path, lines));

    const auto report = plane::verify_audit(place.config(), {}, place.world.env());

    CHECK((!report || !report->is_whole()));
  }

  TEST_CASE("a log-in link is made beside a running control plane and works there once") {
    PlaneWorld place;
    const auto plane = must(place.open());
    place.make_admin(*plane);

    const auto code =
        must(plane::make_login_link(place.config(), "admin@example.com", place.world.env()));

    CHECK(plane->sessions().log_in_by_link(code, {}));
    CHECK_FALSE(plane->sessions().log_in_by_link(code, {}));
    CHECK_FALSE(plane::make_login_link(place.config(), "nobody@example.com", place.world.env()));
  }

  TEST_CASE("a reset password is good and the old one is not") {
    PlaneWorld place;
    const auto plane = must(place.open());
    place.make_admin(*plane);
    const Secret next("blue-pump-hums-quietly");

    must(plane::reset_password(place.config(), "admin@example.com", next, place.world.env()));

    CHECK(plane->sessions().log_in("admin@example.com", next, {}));
    CHECK_FALSE(
        plane->sessions().log_in("admin@example.com", Secret("green-valve-turns-slowly"), {}));
  }
}

}  // namespace
}  // namespace ecp_test
