// SPDX-License-Identifier: Apache-2.0
#include <atomic>
#include <string>
#include <thread>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/platform/live_events.hpp>

#include <doctest/doctest.h>

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using access::Scope;
using platform::LiveEvent;
using platform::LiveEvents;

struct Place {
  ManualEnv world;
  Scope organization{world.ids.next<access::OrganizationId>(), {}};
  Scope project{organization.organization, world.ids.next<access::ProjectId>()};
  Scope other{world.ids.next<access::OrganizationId>(), world.ids.next<access::ProjectId>()};
};

TEST_SUITE("platform.LiveEvents") {
  TEST_CASE("A listener hears everything inside its scope and nothing else") {
    Place place;
    LiveEvents live;
    std::string project;
    std::string organization;
    std::string everything;
    const auto a = live.subscribe(place.project, [&](const LiveEvent& e) { project += e.name; });
    const auto b =
        live.subscribe(place.organization, [&](const LiveEvent& e) { organization += e.name; });
    const auto c =
        live.subscribe(Scope::platform(), [&](const LiveEvent& e) { everything += e.data_json; });

    live.publish(place.project, "v", "1");
    live.publish(place.organization, "n", "2");
    live.publish(place.other, "s", "3");

    CHECK(project == "v");
    CHECK(organization == "vn");
    CHECK(everything == "123");
  }

  TEST_CASE("It is known whether anybody would hear") {
    Place place;
    LiveEvents live;
    CHECK_FALSE(live.has_listener(place.project));
    auto subscription = live.subscribe(place.organization, [](const LiveEvent&) {});
    CHECK(live.has_listener(place.project));
    CHECK_FALSE(live.has_listener(place.other));
    subscription.reset();
    CHECK_FALSE(live.has_listener(place.project));
  }

  TEST_CASE("A subscription may outlive what it subscribed to") {
    Place place;
    auto live = std::make_unique<LiveEvents>();
    auto subscription = live->subscribe(place.project, [](const LiveEvent&) {});
    live.reset();
    subscription.reset();
  }

  TEST_CASE("After a subscription has ended its handler neither runs nor will run") {
    Place place;
    LiveEvents live;
    std::atomic<bool> stop = false;
    std::vector<std::thread> publishers;
    for (int i = 0; i < 2; ++i) {
      publishers.emplace_back([&] {
        while (!stop) live.publish(place.project, "v", "1");
      });
    }
    std::atomic<int> late = 0;
    for (int round = 0; round < 500; ++round) {
      auto ended = std::make_unique<std::atomic<bool>>(false);
      std::atomic<int> heard = 0;
      auto subscription = live.subscribe(place.project, [&, flag = ended.get()](const LiveEvent&) {
        ++heard;
        if (*flag) ++late;
      });
      while (heard == 0) std::this_thread::yield();
      subscription.reset();
      *ended = true;
    }
    stop = true;
    for (auto& publisher : publishers) publisher.join();
    CHECK(late == 0);
  }
}

}  // namespace
}  // namespace ecp_test
