// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/server/settings.hpp>

#include <map>

namespace server = ecp::server;

namespace {

ecp::Result<server::Settings> read(std::string_view text,
                                   const ecp::EnvironmentVariables& environment = {}) {
  auto config = ecp::Config::parse(text, "ecpd.yaml", server::environment_prefix, environment);
  if (!config) return config.error();
  return server::read_settings(*config);
}

std::string problem(std::string_view text) {
  const auto settings = read(text);
  return settings ? std::string() : settings.error().message();
}

}  // namespace

TEST_SUITE("server.Settings") {
  TEST_CASE("a data folder is all that must be said") {
    const auto settings = read("data_folder: /var/lib/ecpd\n");

    REQUIRE(settings);
    CHECK(settings->plane.data_folder == "/var/lib/ecpd");
    CHECK(settings->tls);
    CHECK(settings->http_port == 8443);
    CHECK(settings->plane.agent_urls == std::vector<std::string>{"https://127.0.0.1:8443"});
  }

  TEST_CASE("the example file is good and shows the defaults") {
    auto config = ecp::Config::load(ECPD_EXAMPLE_CONFIG, server::environment_prefix, {});
    REQUIRE(config);
    const auto settings = server::read_settings(*config);
    REQUIRE(settings);
    CHECK(settings->plane.data_folder == "/var/lib/ecpd");
    const auto plain = read("data_folder: /var/lib/ecpd\n");
    REQUIRE(plain);
    CHECK(settings->plane.reconnect_cap == plain->plane.reconnect_cap);
    CHECK(settings->plane.heartbeat == plain->plane.heartbeat);
    CHECK(settings->plane.renewal_grace == plain->plane.renewal_grace);
    CHECK(settings->plane.agent_urls == plain->plane.agent_urls);
    CHECK(settings->http_port == plain->http_port);
  }

  TEST_CASE("without a data folder the key is named") {
    CHECK(problem("http:\n  listen: 127.0.0.1:1\n").find("data_folder") != std::string::npos);
  }

  TEST_CASE("an unknown key is refused with its line") {
    const auto text = problem("data_folder: /d\nhttp:\n  listenn: 127.0.0.1:1\n");

    CHECK(text.find("ecpd.yaml:3") != std::string::npos);
    CHECK(text.find("listenn") != std::string::npos);
  }

  TEST_CASE("plain HTTP is refused on an address that others reach [R39]") {
    CHECK(problem("data_folder: /d\nhttp:\n  listen: 0.0.0.0:8080\n  tls: false\n")
              .find("loopback") != std::string::npos);
    CHECK(read("data_folder: /d\nhttp:\n  listen: 127.0.0.1:8080\n  tls: false\n"));
    CHECK(read("data_folder: /d\nhttp:\n  listen: \"[::1]:8080\"\n  tls: false\n"));
  }

  TEST_CASE("an address that is none is refused naming its key") {
    for (const char* address :
         {"8443", "127.0.0.1", "127.0.0.1:99999", "127.0.0.1:x", ":1", "a:b:1"}) {
      CAPTURE(address);
      const auto text =
          problem(std::string("data_folder: /d\nbroker:\n  listen: '") + address + "'\n");
      CHECK(text.find("broker.listen") != std::string::npos);
    }
  }

  TEST_CASE("a broker that others run is named by its URL, and nothing of ours stands beside it") {
    const auto settings = read(
        "data_folder: /d\nbroker:\n  url: mqtts://broker.example:8884\n  trust_file: /ca.pem\n"
        "  advertise: ['gate.example:8883']\n");
    REQUIRE(settings);
    const auto& broker = settings->plane.broker;
    REQUIRE(broker.external);
    CHECK(broker.external->host == "broker.example");
    CHECK(broker.external->port == 8884);
    CHECK(broker.trust_path == "/ca.pem");
    CHECK(broker.advertise.size() == 1);
    CHECK_FALSE(read("data_folder: /d\n")->plane.broker.external);
    const std::string url = "data_folder: /d\nbroker:\n  url: mqtts://b:1\n";
    for (const std::string line : {"listen: 127.0.0.1:8883", "mosquitto: /usr/sbin/mosquitto",
                                   "plugin: /p.so", "keep_running: false"}) {
      CAPTURE(line);
      const auto text = problem(url + "  " + line + "\n");
      CHECK(text.find("broker." + line.substr(0, line.find(':'))) != std::string::npos);
      CHECK(text.find("broker.url") != std::string::npos);
    }
    for (const std::string wrong :
         {"b:8883", "mqtt://b:1883", "mqtts://b", "mqtts://", "mqtts://b:x"}) {
      CAPTURE(wrong);
      CHECK(problem("data_folder: /d\nbroker:\n  url: '" + wrong + "'\n").find("broker.url") !=
            std::string::npos);
    }
    CHECK(problem("data_folder: /d\nbroker:\n  trust_file: /ca.pem\n").find("broker.url") !=
          std::string::npos);
    CHECK(problem(url + "  trust_file: ca.pem\n").find("trust_file") != std::string::npos);
  }

  TEST_CASE("an EMQX is named beside its broker, and never without one") {
    const std::string url = "data_folder: /d\nbroker:\n  url: mqtts://emqx:8883\n";
    const auto settings =
        read(url + "  emqx:\n    url: https://emqx:18084\n    key_file: /etc/ecp/emqx-key\n");
    REQUIRE(settings);
    REQUIRE(settings->plane.broker.emqx);
    CHECK(settings->plane.broker.emqx->url == "https://emqx:18084");
    CHECK(settings->plane.broker.emqx->key_path == "/etc/ecp/emqx-key");
    CHECK_FALSE(read(url)->plane.broker.emqx);
    CHECK(problem("data_folder: /d\nbroker:\n  emqx:\n    url: https://emqx:18084\n")
              .find("broker.url") != std::string::npos);
    CHECK(problem(url + "  emqx:\n    key_file: /k\n").find("broker.emqx.url") !=
          std::string::npos);
    CHECK(problem(url + "  emqx:\n    url: emqx:18084\n").find("broker.emqx.url") !=
          std::string::npos);
    CHECK(problem(url + "  emqx:\n    url: https://e\n    key_file: k\n").find("key_file") !=
          std::string::npos);
    CHECK(
        problem(url + "  emqx:\n    url: https://e\n    trust_file: /none\n").find("trust_file") !=
        std::string::npos);
  }

  TEST_CASE("a value that could never work is refused naming its key") {
    for (const auto& [key, lines] : std::map<std::string, std::string>{
             {"data_folder", "data_folder: data\n"},
             {"store.url", "data_folder: /d\nstore:\n  url: mysql://host/db\n"},
             {"store.url ", "data_folder: /d\nstore:\n  url: sqlite:ecpd.db\n"},
             {"series.url", "data_folder: /d\nseries:\n  url: sqlite:/x/values.db\n"},
             {"broker.mosquitto", "data_folder: /d\nbroker:\n  mosquitto: mosquitto\n"},
             {"broker.plugin", "data_folder: /d\nbroker:\n  plugin: plugin.so\n"},
             {"webhook.allow", "data_folder: /d\nwebhook:\n  allow: [10.0.0.7]\n"},
             {"webhook.allow ", "data_folder: /d\nwebhook:\n  allow: ['receiver.example:80']\n"}}) {
      CAPTURE(key);
      CHECK(problem(lines).find(key) != std::string::npos);
    }
    CHECK(read("data_folder: /d\nstore:\n  url: sqlite:/x/ecpd.db\n"));
    CHECK(read("data_folder: /d\nstore:\n  url: postgresql://ecp@db/ecp\n"));
    CHECK(read("data_folder: /d\nseries:\n  url: postgresql://ecp@db/values\n"));
    CHECK(read("data_folder: /d\nwebhook:\n  allow: ['[fd00::7]:80', '10.0.0.7:80']\n"));
  }

  TEST_CASE("replicas may be where store and broker are everybody's") {
    const std::string postgres = "store:\n  url: postgresql://ecp@db/ecp\n";
    const std::string broker = "broker:\n  url: mqtts://b.example:8883\n";
    CHECK(read("data_folder: /d\n" + postgres + broker)->plane.has_replicas);
    CHECK_FALSE(read("data_folder: /d\n" + postgres)->plane.has_replicas);
    CHECK_FALSE(read("data_folder: /d\n" + broker)->plane.has_replicas);
  }

  TEST_CASE("listening everywhere, agents are told our host name, which the certificate carries") {
    const auto settings = read("data_folder: /d\nhttp:\n  listen: 0.0.0.0:8443\n");

    REQUIRE(settings);
    const auto host = ecp::plane::host_name();
    CHECK(settings->plane.server_names.back() == host);
    CHECK(settings->plane.agent_urls == std::vector<std::string>{"https://" + host + ":8443"});
  }

  TEST_CASE("a certificate without its key is refused") {
    CHECK(problem("data_folder: /d\nhttp:\n  certificate: /c.pem\n").find("http.key") !=
          std::string::npos);
  }

  TEST_CASE("a variable of the environment overrides the file") {
    const auto settings = read("data_folder: /d\nhttp:\n  listen: 127.0.0.1:1\n",
                               {{"ECPD_HTTP_LISTEN", "127.0.0.1:2"}});

    REQUIRE(settings);
    CHECK(settings->http_port == 2);
  }

  TEST_CASE("what agents are told follows the names in the certificate") {
    const auto settings = read("data_folder: /d\nhttp:\n  names: [localhost, plant.example]\n");

    REQUIRE(settings);
    CHECK(settings->plane.agent_urls == std::vector<std::string>{"https://plant.example:8443"});
  }
}
