// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/http/client.hpp>
#include <ecp/http/reasons.hpp>

#include <mutex>

#include "support/certificates.hpp"
#include "unit/http/running_server.hpp"

using namespace ecp;
using ecp::testing::make_certificate;
using ecp::testing::RunningServer;

namespace {

http::ClientRequest request_to(const RunningServer& running, const std::string& path = "/") {
  http::ClientRequest request;
  request.url = "http://127.0.0.1:" + std::to_string(running.server->port()) + path;
  request.addresses.private_networks = true;
  return request;
}

/// A TLS server with the given chain; counts what reaches its handler.
struct TlsPlace {
  explicit TlsPlace(const std::string& chain, const std::string& key)
      : running(testing::echo, options(chain, key)) {}

  static http::ServerOptions options(const std::string& chain, const std::string& key) {
    http::ServerOptions made;
    made.tls = http::ServerTls{chain, Secret(key), ""};
    return made;
  }
  [[nodiscard]] http::ClientRequest request(const std::string& host = "localhost") const {
    http::ClientRequest made;
    made.url = "https://" + host + ":" + std::to_string(running.server->port()) + "/";
    made.addresses.private_networks = true;
    made.headers.add("Authorization", "Bearer secret");
    return made;
  }

  RunningServer running;
  std::unique_ptr<http::Client> client = http::open_client(running.env()).value();
};

}  // namespace

TEST_SUITE("http.Client") {
  TEST_CASE("method, fields and body go out and the answer comes back") {
    std::mutex mutex;
    http::Request seen;
    RunningServer running([&](const http::Request& request) {
      const std::lock_guard lock(mutex);
      seen = request;
      auto response = testing::echo(request);
      response.status = 202;
      response.headers.add("X-Answer", "yes");
      return response;
    });
    const auto client = http::open_client(running.env()).value();
    for (const auto method : {http::Method::get, http::Method::post, http::Method::put,
                              http::Method::patch, http::Method::del}) {
      auto request = request_to(running, "/p?q=1");
      request.method = method;
      request.headers.add("X-Ask", "why");
      if (method != http::Method::get) request.body = "content";
      const auto answer = client->call(request);
      REQUIRE(answer.has_value());
      CHECK(answer->status == 202);
      CHECK(answer->headers.find("x-answer") == "yes");
      CHECK(seen.method == method);
      CHECK(seen.headers.find("X-Ask") == "why");
      CHECK(answer->body.ends_with("/p q=1 " + request.body));
    }
  }

  TEST_CASE("[R23] an answer over its bound is given up, announced or not") {
    RunningServer running([](const http::Request& request) {
      http::Response response;
      if (request.path == "/announced") {
        response.body.assign(5000, 'x');
      } else {
        response.produce = []() -> Result<Bytes> { return Bytes(1000, 'x'); };
      }
      return response;
    });
    const auto client = http::open_client(running.env()).value();
    for (const char* path : {"/announced", "/endless"}) {
      auto request = request_to(running, path);
      request.max_response = 4999;
      const auto answer = client->call(request);
      REQUIRE_FALSE(answer.has_value());
      CHECK(answer.error().is(http::reasons::answer_too_large));
    }
  }

  TEST_CASE("[R23] header fields of an answer over their bound are given up") {
    RunningServer running([](const http::Request&) {
      http::Response response;
      for (int i = 0; i < 100; ++i) response.headers.add("X-Long", std::string(1000, 'x'));
      return response;
    });
    const auto answer = http::open_client(running.env()).value()->call(request_to(running));
    CHECK(answer.error().is(http::reasons::answer_too_large));
  }

  TEST_CASE("a server that does not answer in time is a timeout, nobody there is unreachable") {
    std::mutex mutex;
    mutex.lock();
    auto running = std::make_unique<RunningServer>([&](const http::Request& request) {
      const std::lock_guard lock(mutex);
      return testing::echo(request);
    });
    const auto client = http::open_client(running->env()).value();
    auto request = request_to(*running);
    request.timeout = Milliseconds{50};
    CHECK(client->call(request).error().is(http::reasons::call_timeout));
    mutex.unlock();
    running->server->stop(Milliseconds{5000});
    CHECK(client->call(request).error().is(http::reasons::unreachable));
  }

  TEST_CASE("redirects are not followed") {
    RunningServer running([](const http::Request&) {
      http::Response response;
      response.status = 302;
      response.headers.add("Location", "/elsewhere");
      return response;
    });
    const auto answer = http::open_client(running.env()).value()->call(request_to(running));
    CHECK(answer.value().status == 302);
    CHECK(running.handled == 1);
  }

  TEST_CASE("[R27] a name that leads to loopback is refused at connect and nothing arrives") {
    RunningServer running;
    const auto client = http::open_client(running.env()).value();
    const auto port = ":" + std::to_string(running.server->port()) + "/";
    for (const std::string& host :
         {std::string("localhost"), std::string("127.0.0.1"), std::string("127.1"),
          std::string("2130706433"), std::string("0x7f000001"), std::string("0"),
          std::string("[::ffff:127.0.0.1]"), std::string("localhost.")}) {
      CAPTURE(host);
      http::ClientRequest request;
      request.url = "http://" + host + port;
      const auto answer = client->call(request);
      REQUIRE_FALSE(answer.has_value());
    }
    CHECK(running.handled == 0);
    http::ClientRequest request;
    request.url = "http://localhost" + port;
    CHECK(client->call(request).error().is(http::reasons::address_refused));
    request.addresses.allowed = {"127.0.0.1" + port.substr(0, port.size() - 1)};
    CHECK(client->call(request).has_value());
  }

  TEST_CASE("[R27] other schemes are refused") {
    RunningServer running;
    const auto client = http::open_client(running.env()).value();
    for (const char* url : {"file:///etc/passwd", "gopher://127.0.0.1/", "ftp://127.0.0.1/"}) {
      http::ClientRequest request;
      request.url = url;
      CHECK(client->call(request).error().is(http::reasons::bad_url));
    }
  }

  TEST_CASE("header values that hold line ends are refused") {
    RunningServer running;
    auto request = request_to(running);
    request.headers.add("X", "a\r\nY: b");
    CHECK_FALSE(http::open_client(running.env()).value()->call(request).has_value());
    CHECK(running.handled == 0);
  }
}

TEST_SUITE("http.Client TLS") {
  TEST_CASE("a server is trusted by the authority given or by the pin of its root or itself") {
    const auto root = make_certificate({"Root", "", "", true});
    const auto issuer = make_certificate({"Issuer", "", "", true}, &root);
    const auto leaf = make_certificate({}, &issuer);
    TlsPlace place(leaf.certificate_pem + issuer.certificate_pem + root.certificate_pem,
                   leaf.key_pem);
    auto request = place.request();
    request.trust.ca_pem = root.certificate_pem;
    CHECK(place.client->call(request).value().status == 200);
    request.trust = {"", root.digest};
    CHECK(place.client->call(request).value().status == 200);
    request.trust = {"", leaf.digest};
    CHECK(place.client->call(request).value().status == 200);
  }

  TEST_CASE("[R20] a pin that is not the root's, or a chain that only carries the root, fails") {
    const auto root = make_certificate({"Root", "", "", true});
    const auto issuer = make_certificate({"Issuer", "", "", true}, &root);
    const auto leaf = make_certificate({}, &issuer);
    const auto forger = make_certificate({"Root", "", "", true});
    const auto forged = make_certificate({}, &forger);
    TlsPlace honest(leaf.certificate_pem + issuer.certificate_pem + root.certificate_pem,
                    leaf.key_pem);
    auto request = honest.request();
    for (const auto& pin : {issuer.digest, forger.digest, Sha256{}}) {
      request.trust = {"", pin};
      CHECK(honest.client->call(request).error().is(http::reasons::untrusted_server));
    }
    CHECK(honest.running.handled == 0);

    TlsPlace liar(forged.certificate_pem + root.certificate_pem, forged.key_pem);
    request = liar.request();
    request.trust = {"", root.digest};
    CHECK(liar.client->call(request).error().is(http::reasons::untrusted_server));
    CHECK(liar.running.handled == 0);
  }

  TEST_CASE("a clock that lags is not believed when a later time is known") {
    const auto root = make_certificate({"Root", "", "", true});
    const auto leaf =
        make_certificate({"x", "DNS:localhost", "serverAuth", false, 600, 86'400}, &root);
    TlsPlace place(leaf.certificate_pem + root.certificate_pem, leaf.key_pem);
    auto request = place.request();
    const auto now = system_clock().now();
    for (const auto& pin : {std::optional<Sha256>(), std::optional(root.digest)}) {
      request.trust = {pin ? "" : root.certificate_pem, pin, now - Milliseconds(3'600'000)};
      CHECK(place.client->call(request).error().is(http::reasons::untrusted_server));
      request.trust.earliest = now + Milliseconds(3'600'000);
      CHECK(place.client->call(request).has_value());
      request.trust.earliest = now + std::chrono::hours(48);
      CHECK(place.client->call(request).error().is(http::reasons::untrusted_server));
    }
  }

  TEST_CASE("[R20] a wrong server is sent no application octet, whatever is wrong") {
    const auto root = make_certificate({"Root", "", "", true});
    const auto other = make_certificate({"Other", "", "", true});
    struct Wrong {
      const char* what;
      testing::KeyAndCertificate leaf;
    };
    const Wrong wrongs[] = {
        {"host", make_certificate({"x", "DNS:elsewhere.example"}, &root)},
        {"name in the subject alone", make_certificate({"localhost", ""}, &root)},
        {"expired",
         make_certificate({"x", "DNS:localhost", "serverAuth", false, -86'400, -60}, &root)},
        {"not yet valid",
         make_certificate({"x", "DNS:localhost", "serverAuth", false, 600, 86'400}, &root)},
        {"usage", make_certificate({"x", "DNS:localhost", "clientAuth"}, &root)},
        {"self-signed", make_certificate({"localhost", "DNS:localhost"})},
        {"authority", make_certificate({"localhost", "DNS:localhost"}, &other)}};
    for (const auto& wrong : wrongs) {
      CAPTURE(wrong.what);
      TlsPlace place(wrong.leaf.certificate_pem + root.certificate_pem, wrong.leaf.key_pem);
      auto request = place.request();
      request.trust.ca_pem = root.certificate_pem;
      CHECK(place.client->call(request).error().is(http::reasons::untrusted_server));
      request.trust = {"", root.digest};
      CHECK(place.client->call(request).error().is(http::reasons::untrusted_server));
      request.trust = {};
      CHECK_FALSE(place.client->call(request).has_value());
      CHECK(place.running.handled == 0);
    }
  }

  TEST_CASE("[R20] a pinned leaf is still checked for host name and time") {
    const auto expired =
        make_certificate({"x", "DNS:localhost", "serverAuth", false, -86'400, -60});
    TlsPlace late(expired.certificate_pem, expired.key_pem);
    auto request = late.request();
    request.trust = {"", expired.digest};
    CHECK(late.client->call(request).error().is(http::reasons::untrusted_server));

    const auto foreign = make_certificate({"x", "DNS:elsewhere.example"});
    TlsPlace elsewhere(foreign.certificate_pem, foreign.key_pem);
    request = elsewhere.request();
    request.trust = {"", foreign.digest};
    CHECK(elsewhere.client->call(request).error().is(http::reasons::untrusted_server));
  }

  TEST_CASE("[R20] a plain server behind https gets no request") {
    RunningServer running;
    auto request = request_to(running);
    request.url.replace(0, 4, "https");
    request.timeout = Milliseconds{2000};
    CHECK_FALSE(http::open_client(running.env()).value()->call(request).has_value());
    CHECK(running.handled == 0);
  }
}
