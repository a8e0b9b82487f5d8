// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/api/v1/audit_feed.hpp>
#include <ecp/audit/audit_store.hpp>
#include <ecp/audit/sequencer.hpp>
#include <ecp/platform/live_events.hpp>

#include "unit/api/people_desk.hpp"

using namespace ecp;

namespace {

/// People and their audit log, with one who listens in a project.
struct Newsroom {
  Newsroom() {
    feed.start();
    token = desk.admin();
    org = "/api/v1/orgs/" + desk.post("/api/v1/orgs", R"({"name":"Works"})", token)["id"];
    mine = project("Hall");
    other = project("Yard");
    seal();
  }

  std::string project(const std::string& name) {
    return desk.post(org + "/projects", R"({"name":")" + name + "\"}", token)["id"];
  }
  [[nodiscard]] access::Scope scope(const std::string& id) const {
    return {ecp_test::must(access::OrganizationId::parse(org.substr(org.rfind('/') + 1))),
            ecp_test::must(access::ProjectId::parse(id))};
  }
  void listen(const std::string& id) {
    subscription = live.subscribe(scope(id), [this](const platform::LiveEvent& event) {
      CHECK(event.name == "audit");
      heard.push_back(event.data_json);
    });
  }
  void rename(const std::string& id, const std::string& name) {
    const auto path = org + "/projects/" + id;
    const auto answer =
        desk.patch(path, R"({"name":")" + name + "\"}", token, desk.get(path, token).etag);
    CHECK(answer.status == 200);
  }
  void pass() { desk.world.executor.advance(Milliseconds(1'000)); }
  void seal() {
    ecp_test::must(sequencer.run_once());
    pass();
  }

  ecp_test::PeopleDesk desk;
  platform::LiveEvents live;
  pki::SigningKey key = ecp_test::must(pki::SigningKey::generate());
  audit::Sequencer sequencer{*desk.store, key, desk.world.env()};
  api::AuditFeed feed{*desk.store, live, desk.world.env()};
  std::string token, org, mine, other;
  std::vector<std::string> heard;
  std::unique_ptr<platform::Subscription> subscription;
};

}  // namespace

TEST_SUITE("api.AuditFeed") {
  TEST_CASE("an entry is told once, as the API shows it, with the name of who did it") {
    Newsroom room;
    room.listen(room.mine);
    room.rename(room.mine, "Hall 1");
    room.pass();
    CHECK(room.heard.empty());  // What is not sealed may still be sealed elsewhere.
    room.seal();
    REQUIRE(room.heard.size() == 1);
    const auto document = ecp_test::must(json::Document::parse(room.heard[0]));
    const auto text = [&](std::string_view name) {
      return std::string(document.root().find(name)->get_string());
    };
    CHECK(text("operation") == "project.edit");
    CHECK(text("principal_name") == "Somebody");
    CHECK(text("subject_name") == "Hall 1");
    const auto log = room.desk.get(room.org + "/projects/" + room.mine + "/audit", room.token);
    CHECK(log.text.find(room.heard[0]) != std::string::npos);
    room.seal();
    CHECK(room.heard.size() == 1);
  }

  TEST_CASE("[R16] entries of another project are not told") {
    Newsroom room;
    room.listen(room.mine);
    room.rename(room.other, "canary");
    room.seal();
    CHECK(room.heard.empty());
  }

  TEST_CASE("who begins to listen hears what comes, not what was") {
    Newsroom room;
    room.rename(room.mine, "before");
    room.seal();
    room.listen(room.mine);
    room.rename(room.mine, "after");
    room.seal();
    REQUIRE(room.heard.size() == 1);
    CHECK(room.heard[0].find("\"after\"") != std::string::npos);
  }

  TEST_CASE("[R23] of very many entries at once only the newest are told") {
    Newsroom room;
    room.listen(room.mine);
    const auto many = api::audit_feed_entries + 5;
    for (std::int64_t i = 0; i < many; ++i) room.rename(room.mine, "name " + std::to_string(i));
    room.seal();
    REQUIRE(room.heard.size() == static_cast<std::size_t>(api::audit_feed_entries));
    CHECK(room.heard.back().find("\"name 54\"") != std::string::npos);
  }

  TEST_CASE("a feed that was stopped tells nothing") {
    Newsroom room;
    room.listen(room.mine);
    room.rename(room.mine, "late");
    room.feed.stop();
    room.seal();
    CHECK(room.heard.empty());
  }
}
