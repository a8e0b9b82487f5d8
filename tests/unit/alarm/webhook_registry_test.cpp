// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/webhook_registry.hpp>

#include "unit/alarm/alarm_world.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using alarm::WebhookRegistry;

constexpr std::string_view public_url = "https://93.184.216.34/hook";

struct Webhooks : AlarmWorld {
  WebhookRegistry registry{*store, sealing, {false, {"127.0.0.1:9000"}}, world.env()};

  static WebhookRegistry::NewWebhook wanted(std::string_view url) {
    return {"shift", std::string(url), Secret("0123456789abcdef")};
  }
};

TEST_SUITE("alarm.WebhookRegistry") {
  TEST_CASE("a URL that leads to this machine or a private network is refused [R27]") {
    Webhooks plant;
    for (const auto* url :
         {"http://127.0.0.1/", "http://localhost/", "http://2130706433/", "http://0x7f.1/",
          "http://0177.0.0.1/", "http://[::1]/", "http://[::ffff:127.0.0.1]/", "http://0.0.0.0/",
          "http://10.0.0.1/", "http://192.168.1.1/", "http://172.16.0.1/",
          "http://169.254.169.254/latest/meta-data", "http://[fe80::1]/", "http://[fd00::1]/",
          "http://127.0.0.1:9001/"}) {
      CAPTURE(url);
      const auto outcome = plant.registry.create(plant.grant(), Webhooks::wanted(url));
      REQUIRE_FALSE(outcome);
      CHECK(outcome.error().code() == ErrorCode::invalid_argument);
    }
  }

  TEST_CASE("only http and https URLs without user and password are taken [R27]") {
    Webhooks plant;
    for (const auto* url : {"file:///etc/passwd", "gopher://93.184.216.34/",
                            "https://user:secret@93.184.216.34/", "93.184.216.34", ""}) {
      CAPTURE(url);
      CHECK_FALSE(plant.registry.create(plant.grant(), Webhooks::wanted(url)));
    }
  }

  TEST_CASE("an address that the configuration allows is taken with its port") {
    Webhooks plant;

    CHECK(plant.registry.create(plant.grant(), Webhooks::wanted("http://127.0.0.1:9000/hook")));
  }

  TEST_CASE("the secret is stored sealed and nowhere in clear") {
    Webhooks plant;

    const auto webhook = must(plant.registry.create(plant.grant(), Webhooks::wanted(public_url)));

    CHECK(webhook.sealed_secret.find("0123456789abcdef") == std::string::npos);
    const auto opened =
        must(plant.sealing.open("alarm.webhook/" + webhook.id.to_string(), webhook.sealed_secret));
    CHECK(opened.equals("0123456789abcdef"));
  }

  TEST_CASE("a sealed secret opens for no other webhook") {
    Webhooks plant;
    const auto webhook = must(plant.registry.create(plant.grant(), Webhooks::wanted(public_url)));
    const auto other = plant.world.ids.next<alarm::WebhookId>();

    CHECK_FALSE(plant.sealing.open("alarm.webhook/" + other.to_string(), webhook.sealed_secret));
  }

  TEST_CASE("short secrets, and more webhooks than the limit, are refused") {
    Webhooks plant;
    auto weak = Webhooks::wanted(public_url);
    weak.secret = Secret("short");
    CHECK(failure(plant.registry.create(plant.grant(), weak)) == "core.bad_field");

    for (std::size_t i = 0; i < limits::webhooks_per_project; ++i) {
      auto one = Webhooks::wanted(public_url);
      one.name = "hook " + std::to_string(i);
      must(plant.registry.create(plant.grant(), one));
    }
    CHECK(failure(plant.registry.create(plant.grant(), Webhooks::wanted(public_url))) ==
          "core.over_limit");
  }

  TEST_CASE("an update is judged like a new one and leaves the secret that is not given") {
    Webhooks plant;
    const auto webhook = must(plant.registry.create(plant.grant(), Webhooks::wanted(public_url)));

    CHECK(failure(plant.registry.update(plant.grant(), webhook.id, webhook.revision,
                                        {{}, "http://127.0.0.1/", {}})) ==
          "alarm_webhook.address_refused");
    const auto renamed =
        must(plant.registry.update(plant.grant(), webhook.id, webhook.revision, {"night", {}, {}}));

    CHECK(renamed.name == "night");
    CHECK(renamed.sealed_secret == webhook.sealed_secret);
    CHECK(plant.audited() ==
          std::vector<std::string>{"alarm_webhook.update", "alarm_webhook.create"});
  }

  TEST_CASE("whoever has no place in the project cannot see or change its webhooks [R12]") {
    Webhooks plant;
    const auto webhook = must(plant.registry.create(plant.grant(), Webhooks::wanted(public_url)));
    const auto is_hidden = [](const auto& outcome) {
      return !outcome && outcome.error().code() == ErrorCode::not_found;
    };

    CHECK(is_hidden(plant.registry.create(plant.stranger(), Webhooks::wanted(public_url))));
    CHECK(is_hidden(plant.registry.get(plant.stranger(), webhook.id)));
    CHECK(is_hidden(plant.registry.list(plant.stranger(), {})));
    CHECK(is_hidden(plant.registry.update(plant.stranger(), webhook.id, webhook.revision, {})));
    CHECK(is_hidden(plant.registry.remove(plant.stranger(), webhook.id, webhook.revision)));
  }
}

}  // namespace
}  // namespace ecp_test
