// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/api/events.hpp>
#include <ecp/api/reasons.hpp>
#include <ecp/platform/live_events.hpp>

#include "unit/api/rights.hpp"

using namespace ecp;

namespace {

namespace permissions = access::permissions;

const access::Scope hall{access::OrganizationId(IdBytes{1}), access::ProjectId(IdBytes{2})};
const access::Scope elsewhere{access::OrganizationId(IdBytes{1}), access::ProjectId(IdBytes{3})};

/// Collects what a stream sends.
class Reader final : public http::BodyWriter {
 public:
  bool write(Bytes piece) override {
    if (closed || gone) return false;
    text += piece;
    return true;
  }
  void close() override { closed = true; }

  std::string text;
  bool closed = false;
  bool gone = false;  ///< Cut from the other side.
};

/// Streams over a real LiveEvents in a world that moves when told to.
struct Desk {
  ManualEnv world;
  ecp_test::Rights rights{world.env()};
  platform::LiveEvents live;
  bool session = true;
  int asked = 0;
  api::EventStreams streams{live,
                            [this](std::string_view token) -> Result<access::Principal> {
                              ++asked;
                              CHECK(token == "secret");
                              if (!session) return api::reasons::token_missing;
                              return access::Principal{};
                            },
                            [this](const access::Principal&, const access::Scope& scope,
                                   const access::Origin&) { return rights.grant(scope); },
                            world.env()};

  Result<http::Response> open(std::uint8_t user = 0) {
    http::Request request;
    request.headers.add("Authorization", "Bearer secret");
    const auto grant =
        ecp_test::must(user == 0 ? rights.grant(hall) : rights.grant_of(IdBytes{user}, hall));
    return streams.open(request, grant);
  }
  std::shared_ptr<Reader> read() {
    auto response = ecp_test::must(open());
    CHECK(response.headers.find("Content-Type") == "text/event-stream");
    auto reader = std::make_shared<Reader>();
    response.stream(reader);
    return reader;
  }
  void pass(std::int64_t milliseconds) { world.executor.advance(Milliseconds{milliseconds}); }
};

}  // namespace

TEST_SUITE("api.EventStreams") {
  TEST_CASE("an event of the project is one named event with its data") {
    Desk desk;
    const auto reader = desk.read();
    desk.live.publish(hall, "alarm", R"({"id":"alm_1"})");
    CHECK(reader->text.ends_with("\n\nevent: alarm\ndata: {\"id\":\"alm_1\"}\n\n"));
  }

  TEST_CASE("a stream begins by saying which events it carries") {
    Desk desk;
    CHECK(
        desk.read()->text ==
        "retry: 2000\n\nevent: stream\ndata: {\"events\":[\"value\",\"node\",\"service\",\"alarm\","
        "\"alarm_rule\",\"command\",\"audit\"]}\n\n");
  }

  TEST_CASE("who may not read the audit log hears nothing of it, and is told so") {
    Desk desk;
    desk.rights.only = {&permissions::project_view, &permissions::alarm_view};
    const auto reader = desk.read();
    CHECK(reader->text.find(R"({"events":["alarm"]})") != std::string::npos);
    desk.live.publish(hall, "audit", R"({"canary":1})");
    desk.live.publish(hall, "alarm_rule", R"({"canary":2})");
    desk.live.publish(hall, "alarm", R"({"id":"alm_1"})");
    CHECK(reader->text.find("canary") == std::string::npos);
    CHECK(reader->text.find("alm_1") != std::string::npos);
  }

  TEST_CASE("a right that is taken away ends its events within 5 s, and the reader is told") {
    Desk desk;
    const auto reader = desk.read();
    desk.rights.only = {&permissions::project_view, &permissions::alarm_view};
    desk.pass(5'000);
    CHECK_FALSE(reader->closed);
    CHECK(reader->text.ends_with("event: stream\ndata: {\"events\":[\"alarm\"]}\n\n"));
    desk.live.publish(hall, "audit", R"({"canary":1})");
    CHECK(reader->text.find("canary") == std::string::npos);
  }

  TEST_CASE("[R16] events of another project are not heard") {
    Desk desk;
    const auto reader = desk.read();
    desk.live.publish(elsewhere, "value", R"({"canary":1})");
    CHECK(reader->text.find("canary") == std::string::npos);
  }

  TEST_CASE("a comment comes at least every 15 s") {
    Desk desk;
    const auto reader = desk.read();
    desk.pass(14'999);
    CHECK(reader->text.find(": beat") == std::string::npos);
    desk.pass(1);
    CHECK(reader->text.find(": beat\n\n") != std::string::npos);
  }

  TEST_CASE("[R07] [R15] a stream ends within 5 s of the end of its session") {
    Desk desk;
    const auto reader = desk.read();
    desk.pass(10'000);
    CHECK_FALSE(reader->closed);
    desk.session = false;
    desk.pass(5'000);
    CHECK(reader->closed);
    CHECK(desk.streams.count() == 0);
    desk.live.publish(hall, "value", R"({"canary":1})");
    CHECK(reader->text.find("canary") == std::string::npos);
  }

  TEST_CASE("[R15] a stream ends within 5 s of the end of the right, unaudited and unlogged") {
    Desk desk;
    const auto reader = desk.read();
    desk.rights.allowed = false;
    desk.pass(5'000);
    CHECK(reader->closed);
    CHECK(desk.rights.denials.empty());
  }

  TEST_CASE("a stream whose reader has gone gives its place back") {
    Desk desk;
    const auto reader = desk.read();
    CHECK(desk.streams.count() == 1);
    reader->gone = true;
    desk.live.publish(hall, "node", "{}");
    desk.pass(2'500);
    CHECK(desk.streams.count() == 0);
  }

  TEST_CASE("[R23] there is a bound on streams, also on those that never began") {
    Desk desk;
    std::vector<http::Response> waiting;
    for (std::size_t i = 0; i < limits::sse_subscribers; ++i) {
      const auto user = static_cast<std::uint8_t>(1 + i / limits::sse_per_user);
      waiting.push_back(ecp_test::must(desk.open(user)));
    }
    CHECK(desk.open().error().is(api::reasons::too_many_streams));
    waiting.pop_back();
    CHECK(desk.open().has_value());
  }

  TEST_CASE("[R23] one user has a bound of his own, and the others keep theirs") {
    Desk desk;
    std::vector<http::Response> waiting;
    for (std::size_t i = 0; i < limits::sse_per_user; ++i) {
      waiting.push_back(ecp_test::must(desk.open(1)));
    }
    CHECK(desk.open(1).error().is(api::reasons::too_many_own_streams));
    CHECK(desk.open(2).has_value());
    waiting.pop_back();
    CHECK(desk.open(1).has_value());
  }

  TEST_CASE("nothing is done while nobody listens") {
    Desk desk;
    desk.read()->gone = true;
    desk.live.publish(hall, "node", "{}");
    desk.pass(60'000);
    const int asked = desk.asked;
    desk.pass(600'000);
    CHECK(desk.asked == asked);
  }

  TEST_CASE("streams end with their owner") {
    std::shared_ptr<Reader> reader;
    {
      Desk desk;
      reader = desk.read();
    }
    CHECK(reader->closed);
  }

  TEST_CASE("a query on the stream is refused") {
    Desk desk;
    http::Request request;
    request.query = "access_token=secret";
    const auto grant = ecp_test::must(desk.rights.grant(hall));
    CHECK(desk.streams.open(request, grant).error().is(api::reasons::bad_query));
  }
}
