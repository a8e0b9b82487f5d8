// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/http/client.hpp>
#include <ecp/http/reasons.hpp>

#include <cstdio>
#include <fstream>

#include "support/certificates.hpp"
#include "unit/http/running_server.hpp"

using namespace ecp;
using ecp::testing::make_certificate;
using ecp::testing::RunningServer;

namespace {

/// A private key in a file, as the client takes it.
class KeyFile {
 public:
  explicit KeyFile(const std::string& pem) {
    char name[] = "/tmp/ecp-key-XXXXXX";
    const int descriptor = mkstemp(name);
    path = name;
    ::close(descriptor);
    std::ofstream(path) << pem;
  }
  ~KeyFile() { std::remove(path.c_str()); }
  KeyFile(const KeyFile&) = delete;
  KeyFile& operator=(const KeyFile&) = delete;
  std::string path;
};

/// A server that asks for certificates of one authority, and a client that trusts it.
struct Place {
  testing::KeyAndCertificate root = make_certificate({"Root", "", "", true});
  testing::KeyAndCertificate leaf = make_certificate({}, &root);
  testing::KeyAndCertificate agents = make_certificate({"Agents", "", "", true}, &root);
  RunningServer running{[](const http::Request& request) {
                          http::Response response;
                          response.body = request.client_name.value_or("nobody") + " " +
                                          to_hex(sha256(request.client_certificate)).substr(0, 8);
                          return response;
                        },
                        options()};
  std::unique_ptr<http::Client> client = http::open_client(running.env()).value();

  [[nodiscard]] http::ServerTls tls() const {
    return {leaf.certificate_pem, Secret(leaf.key_pem), agents.certificate_pem};
  }
  [[nodiscard]] http::ServerOptions options() const {
    http::ServerOptions made;
    made.tls = tls();
    return made;
  }
  [[nodiscard]] http::ClientRequest request() const {
    http::ClientRequest made;
    made.url = "https://localhost:" + std::to_string(running.server->port()) + "/";
    made.addresses.private_networks = true;
    made.trust.ca_pem = root.certificate_pem;
    return made;
  }
};

}  // namespace

TEST_SUITE("http.Server TLS") {
  TEST_CASE("a client without a certificate is served as nobody") {
    Place place;
    const auto answer = place.client->call(place.request());
    REQUIRE(answer.has_value());
    CHECK(answer->body.starts_with("nobody"));
  }

  TEST_CASE("a certificate of the named authority tells who calls") {
    Place place;
    const auto agent = make_certificate({"node_1", "", "clientAuth"}, &place.agents);
    const KeyFile key(agent.key_pem);
    auto request = place.request();
    request.identity = {agent.certificate_pem, key.path};
    const auto answer = place.client->call(request);
    REQUIRE(answer.has_value());
    CHECK(answer->body == "node_1 " + to_hex(agent.digest).substr(0, 8));
  }

  TEST_CASE("certificates of anybody else, for servers, or expired do not get in") {
    Place place;
    const auto stranger_root = make_certificate({"Agents", "", "", true});
    const auto attempts = {
        make_certificate({"node_1", "", "clientAuth"}, &stranger_root),
        make_certificate({"node_1", "", "clientAuth"}, &place.root),
        make_certificate({"node_1", "", "clientAuth"}),
        make_certificate({"node_1", "", "serverAuth"}, &place.agents),
        make_certificate({"node_1", "", "clientAuth", false, -86'400, -60}, &place.agents)};
    for (const auto& agent : attempts) {
      const KeyFile key(agent.key_pem);
      auto request = place.request();
      request.identity = {agent.certificate_pem, key.path};
      CHECK_FALSE(place.client->call(request).has_value());
    }
    CHECK(place.running.handled == 0);
  }

  TEST_CASE("a new certificate is used for new connections") {
    Place place;
    place.leaf = make_certificate({}, &place.root);
    REQUIRE(place.running.server->set_tls(place.tls()).has_value());
    auto request = place.request();
    request.trust = {"", place.leaf.digest};
    CHECK(place.client->call(request).has_value());
  }

  TEST_CASE("[R21] a certificate, key or authority that cannot be used is named, the last stays") {
    Place place;
    auto wrong = place.tls();
    wrong.key_pem = Secret(place.agents.key_pem);
    CHECK(place.running.server->set_tls(wrong).error().is(http::reasons::bad_tls));
    wrong = place.tls();
    wrong.certificate_chain_pem = wrong.certificate_chain_pem.substr(0, 200);
    CHECK(place.running.server->set_tls(wrong).error().is(http::reasons::bad_tls));
    wrong = place.tls();
    wrong.client_ca_pem = "nothing";
    CHECK(place.running.server->set_tls(wrong).error().is(http::reasons::bad_tls));
    CHECK(place.client->call(place.request()).has_value());
  }

  TEST_CASE("[R20] plain HTTP on a TLS port gets nothing") {
    Place place;
    CHECK(place.running.exchange("GET / HTTP/1.1\r\nHost: h\r\n\r\n").find("HTTP/1.1 200") ==
          std::string::npos);
    CHECK(place.running.handled == 0);
  }
}
