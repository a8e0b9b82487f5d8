// SPDX-License-Identifier: Apache-2.0
#include <deque>
#include <map>
#include <optional>
#include <set>

#include <ecp/core/file.hpp>
#include <ecp/core/reasons.hpp>

#include "support/faulty_store.hpp"
#include "unit/alarm/alarm_world.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

/// Receivers by URL: what they got, and what they answer.
class Receivers final : public http::Client {
 public:
  Result<http::ClientResponse> call(const http::ClientRequest& request) override {
    calls.push_back(request);
    if (on_call) on_call();
    if (silent.contains(request.url)) {
      return Error(ecp::reasons::timeout, {{"what", problem.value_or(request.url)}});
    }
    http::ClientResponse response;
    const auto status = statuses.find(request.url);
    response.status = status == statuses.end() ? 204 : status->second;
    return response;
  }
  std::function<void()> on_call;
  std::vector<http::ClientRequest> calls;
  std::set<std::string> silent;
  std::optional<std::string> problem;  ///< What the silent ones are said to be.
  std::map<std::string, int> statuses;
};

struct Notices : AlarmWorld {
  Notices() { add_webhook("shift", url); }
  const std::string url = "https://203.0.113.5/a";
  Receivers receivers;
  alarm::Notifier notifier{*store, receivers, sealing, {}, world.env()};

  void raise() { must(report(node, transition(rule, true, 81))); }
  alarm::AlarmRule rule = add_rule();
};

std::string header(const http::ClientRequest& request, std::string_view name) {
  return std::string(request.headers.find(name).value_or(""));
}

TEST_SUITE("alarm.Notifier") {
  TEST_CASE("the signature is the HMAC-SHA256 of timestamp, full stop and body") {
    // printf '%s' '1700000000.{}' | openssl dgst -sha256 -hmac 0123456789abcdef
    CHECK(alarm::notice_signature("0123456789abcdef", "1700000000", "{}") ==
          "sha256=e4f8e2ecae2295b2ddb2f0b5584c8275e226c0ebe9b3b819e70156bb67122e3e");
  }

  TEST_CASE("a notice is written as its golden file says, so that receivers can rely on it") {
    Notices plant;
    plant.raise();

    must(plant.notifier.deliver());

    const auto golden = must(read_file(ECP_GOLDEN_FOLDER "/notice.json", 4 * kibibyte));
    CHECK(plant.receivers.calls.at(0).body + "\n" == golden);
  }

  TEST_CASE("a notice carries its id, the time and a signature over exactly its body") {
    Notices plant;
    plant.raise();

    CHECK(must(plant.notifier.deliver()) == 1);

    REQUIRE(plant.receivers.calls.size() == 1);
    const auto& call = plant.receivers.calls[0];
    CHECK(call.method == http::Method::post);
    CHECK(call.url == plant.url);
    CHECK(header(call, "X-ECP-Timestamp") == "1700000000");
    CHECK(header(call, "X-ECP-Signature") ==
          alarm::notice_signature("0123456789abcdef", "1700000000", call.body));
    CHECK(call.body.find("\"notification_id\":\"" + header(call, "X-ECP-Notification-Id")) !=
          std::string::npos);
    CHECK(call.body.find("\"state\":\"raised\"") != std::string::npos);
    CHECK_FALSE(call.addresses.private_networks);
    CHECK(plant.waiting_notices() == 0);
  }

  TEST_CASE("a receiver that fails is tried again, with the same id, until it takes the notice") {
    Notices plant;
    plant.receivers.statuses[plant.url] = 500;
    plant.raise();

    CHECK(must(plant.notifier.deliver()) == 0);
    CHECK(must(plant.notifier.deliver()) == 0);  // Not due yet.
    CHECK(plant.receivers.calls.size() == 1);
    plant.receivers.statuses.clear();
    plant.world.clock.advance(Milliseconds(5'000));
    CHECK(must(plant.notifier.deliver()) == 1);

    CHECK(header(plant.receivers.calls[0], "X-ECP-Notification-Id") ==
          header(plant.receivers.calls[1], "X-ECP-Notification-Id"));
    CHECK(plant.waiting_notices() == 0);
  }

  TEST_CASE("a long failure is kept as whole characters, whatever it is cut to") {
    Notices plant;
    const auto webhook = plant.add_webhook("long", "https://203.0.113.6/b");
    plant.receivers.silent.insert(webhook.url);
    plant.raise();
    for (const auto* lead : {"", "a", "ab"}) {
      plant.receivers.problem = lead;
      for (int i = 0; i < 200; ++i) *plant.receivers.problem += "\u20ac";

      must(plant.notifier.deliver());
      plant.world.clock.advance(Milliseconds(3'600'000));

      const auto kept = plant.webhook(webhook.id).last_error;
      CHECK(kept.size() > 290);
      CHECK(kept.size() < 310);
      CHECK(is_clean_utf8(kept));
    }
  }

  TEST_CASE("pauses grow to their bound, and nothing is given up before its time") {
    Notices plant;
    plant.receivers.statuses[plant.url] = 503;
    plant.raise();

    std::vector<std::size_t> calls_by_day;
    for (int day = 0; day < 4; ++day) {
      for (int minute = 0; minute < 24 * 60; ++minute) {
        must(plant.notifier.deliver());
        plant.world.clock.advance(Milliseconds(60'000));
      }
      calls_by_day.push_back(plant.receivers.calls.size());
    }

    CHECK(calls_by_day[0] < 24 * 60 / 4);  // At most ten minutes, at least five, between two.
    CHECK(calls_by_day[2] > calls_by_day[1]);
    CHECK(plant.waiting_notices() == 0);  // Three days are over.
    CHECK(plant.world.log.contains("a notice is given up"));
  }

  TEST_CASE("a crash between sending and recording sends again, never not at all") {
    Notices plant;
    FaultyStore faulty(*plant.store);
    alarm::Notifier notifier(faulty, plant.receivers, plant.sealing, {}, plant.world.env());
    plant.raise();

    plant.receivers.on_call = [&] { faulty.fail_next_commit(); };  // That of the record.
    must(notifier.deliver());
    plant.receivers.on_call = {};
    plant.world.clock.advance(Milliseconds(60'001));
    must(plant.notifier.deliver());

    REQUIRE(plant.receivers.calls.size() == 2);
    CHECK(header(plant.receivers.calls[0], "X-ECP-Notification-Id") ==
          header(plant.receivers.calls[1], "X-ECP-Notification-Id"));
    CHECK(plant.waiting_notices() == 0);
  }

  TEST_CASE("a dead receiver is tried once a look and holds nobody else up") {
    Notices plant;
    const std::string dead = "https://203.0.113.6/b";
    plant.add_webhook("dead", dead);
    plant.receivers.silent.insert(dead);
    plant.raise();
    must(plant.report(plant.node, plant.transition(plant.rule, false, 70)));

    CHECK(must(plant.notifier.deliver()) == 2);

    int to_the_dead = 0;
    for (const auto& call : plant.receivers.calls) to_the_dead += call.url == dead ? 1 : 0;
    CHECK(to_the_dead == 1);
    CHECK(plant.waiting_notices() == 2);
  }

  TEST_CASE("notices to a removed webhook are dropped") {
    Notices plant;
    plant.raise();
    must(plant.write([&](storage::Transaction& t) {
      return t.get<alarm::WebhookStore>().remove_of_project(plant.scope.project);
    }));

    CHECK(must(plant.notifier.deliver()) == 0);

    CHECK(plant.receivers.calls.empty());
    CHECK(plant.waiting_notices() == 0);
  }

  TEST_CASE("the webhook shows how sending goes") {
    Notices plant;
    const auto sick = plant.add_webhook("sick", "https://203.0.113.7/");
    plant.receivers.statuses[sick.url] = 404;
    plant.raise();

    must(plant.notifier.deliver());
    CHECK(plant.webhook(sick.id).last_error.find("404") != std::string::npos);
    plant.receivers.statuses.clear();
    plant.world.clock.advance(Milliseconds(5'000));
    must(plant.notifier.deliver());

    CHECK(plant.webhook(sick.id).last_error.empty());
    CHECK(plant.webhook(sick.id).delivered_at == plant.world.clock.now());
  }

  TEST_CASE("once started it sends on each wake, retries by timer, and does nothing after stop") {
    Notices plant;
    plant.engine.on_notices([&] { plant.notifier.wake(); });
    plant.notifier.start();
    plant.receivers.statuses[plant.url] = 500;

    plant.raise();
    plant.world.executor.run_ready();
    CHECK(plant.receivers.calls.size() == 1);
    plant.receivers.statuses.clear();
    plant.world.executor.advance(Milliseconds(6'000));
    CHECK(plant.receivers.calls.size() == 2);
    plant.notifier.stop();
    must(plant.report(plant.node, plant.transition(plant.rule, false, 70)));
    plant.world.executor.advance(Milliseconds(60'000));

    CHECK(plant.receivers.calls.size() == 2);
    CHECK(plant.waiting_notices() == 1);
  }
}

}  // namespace
}  // namespace ecp_test
