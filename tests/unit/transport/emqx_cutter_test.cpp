// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <functional>
#include <map>
#include <set>
#include <vector>

#include <ecp/core/json.hpp>
#include <ecp/http/reasons.hpp>
#include <ecp/transport/emqx.hpp>
#include <ecp/transport/reasons.hpp>

using namespace ecp;

namespace {

/// A recorded double of EMQX's REST API, not EMQX: it gives the answers of EMQX 5.10 to POST
/// /api/v5/banned and DELETE /api/v5/clients/{id} as its documentation and source show them, and
/// keeps no more state than which bans it has taken.
class EmqxDouble final : public http::Client {
 public:
  Result<http::ClientResponse> call(const http::ClientRequest& request) override {
    requests.push_back(request);
    if (silent) return Error(http::reasons::call_timeout, {{"host", "emqx"}});
    if (broken) return answer(broken, R"({"code":"INTERNAL_ERROR","message":"{badrpc,nodedown}"})");
    if (request.headers.find("Authorization") != "Basic YTQ2OTc6czNjcjN0") {
      return answer(401,
                    R"({"code":"BAD_API_KEY_OR_SECRET","message":"Check api_key/api_secret"})");
    }
    if (request.method == http::Method::post) return ban(request);
    const auto id = request.url.substr(request.url.rfind('/') + 1);
    kicked.push_back(id);
    if (connected.erase(id) > 0) return answer(204, "");
    return answer(404, R"({"code":"CLIENTID_NOT_FOUND","message":"Client ID not found"})");
  }

  std::map<std::string, std::string> bans;  ///< Client id, end.
  std::set<std::string> connected;
  std::vector<std::string> kicked;
  std::vector<http::ClientRequest> requests;
  bool silent = false;
  int broken = 0;  ///< A status, when it is ill.

 private:
  static Result<http::ClientResponse> answer(int status, std::string body) {
    return http::ClientResponse{status, {}, std::move(body)};
  }
  Result<http::ClientResponse> ban(const http::ClientRequest& request) {
    const auto body = json::Document::parse(request.body);
    REQUIRE(body);
    const auto text = [&](const char* name) {
      return std::string(body->root().find(name)->get_string());
    };
    CHECK(text("as") == "clientid");
    const auto who = text("who");
    if (const auto old = bans.find(who); old != bans.end()) {
      // The message is the old entry as a text of JSON.
      json::Writer entry;
      entry.begin_object().field("as", "clientid").field("who", who).field("until", old->second);
      json::Writer writer;
      writer.begin_object().field("code", "ALREADY_EXISTS");
      writer.field("message", entry.end_object().take()).end_object();
      return answer(400, writer.take());
    }
    bans[who] = text("until");
    return answer(200, request.body);
  }
};

struct Site {
  ManualEnv manual;
  EmqxDouble emqx;
  std::unique_ptr<transport::SessionCutter> cutter;

  explicit Site(std::string_view key = "a4697:s3cr3t") {
    transport::EmqxOptions options;
    options.url = "https://emqx.example:18084";
    options.key = Secret(key);
    auto opened = transport::open_emqx_cutter(std::move(options), emqx, manual.env());
    REQUIRE(opened);
    cutter = std::move(*opened);
  }
  link::AgentId agent() {
    const auto id = manual.ids.next<link::AgentId>();
    emqx.connected.insert(id.to_string());
    return id;
  }
  [[nodiscard]] bool is_out(link::AgentId id) const {
    return emqx.bans.count(id.to_string()) == 1 && emqx.connected.count(id.to_string()) == 0;
  }
};

bool opens(std::string url, std::string_view key = "k:s") {
  ManualEnv manual;
  EmqxDouble emqx;
  transport::EmqxOptions options;
  options.url = std::move(url);
  options.key = Secret(key);
  return transport::open_emqx_cutter(std::move(options), emqx, manual.env()).has_value();
}

}  // namespace

TEST_SUITE("transport.EmqxCutter") {
  TEST_CASE("a revoked agent is banned without end and then kicked [R15]") {
    Site site;
    const auto revoked = site.agent();

    site.cutter->deny(revoked);
    CHECK(site.emqx.requests.empty());  // Whoever revokes does not wait for EMQX.
    site.manual.executor.run_ready();

    CHECK(site.is_out(revoked));
    REQUIRE(site.emqx.requests.size() == 2);
    CHECK(site.emqx.requests[0].url == "https://emqx.example:18084/api/v5/banned");
    CHECK(site.emqx.requests[1].url ==
          "https://emqx.example:18084/api/v5/clients/" + revoked.to_string());
    CHECK(site.emqx.bans[revoked.to_string()].starts_with("2999-"));
    CHECK(site.emqx.requests[0].addresses.private_networks);
  }

  TEST_CASE("an agent that is banned already and not connected is as good as told") {
    Site site;
    const auto revoked = site.agent();
    site.emqx.bans[revoked.to_string()] = "infinity";
    site.emqx.connected.clear();

    site.cutter->set_denied(std::vector{revoked});
    site.manual.executor.advance(Milliseconds(600'000));

    CHECK(site.emqx.requests.size() == 2);
    CHECK(site.emqx.bans[revoked.to_string()] == "infinity");
  }

  TEST_CASE("a set is told once, and wholly again after a new connection to the broker") {
    Site site;
    std::vector<link::AgentId> all{site.agent(), site.agent(), site.agent()};
    site.cutter->set_denied(all);
    site.manual.executor.run_ready();
    CHECK(site.emqx.requests.size() == 6);

    all.push_back(site.agent());
    site.cutter->set_denied(all);
    site.manual.executor.run_ready();
    CHECK(site.emqx.requests.size() == 8);

    site.emqx.bans.clear();
    site.cutter->repeat();
    site.manual.executor.run_ready();
    for (const auto agent : all) CHECK(site.is_out(agent));
  }

  TEST_CASE("nobody is let in again: a smaller set lifts no ban") {
    Site site;
    const auto revoked = site.agent();
    site.cutter->set_denied(std::vector{revoked});
    site.manual.executor.run_ready();
    site.cutter->set_denied({});
    site.manual.executor.advance(Milliseconds(600'000));

    CHECK(site.is_out(revoked));
    for (const auto& request : site.emqx.requests) {
      CHECK((request.method == http::Method::post ||
             request.url.find("/banned") == std::string::npos));
    }
  }

  TEST_CASE("an EMQX that is ill, silent or refuses our key is tried again until it obeys [I4]") {
    const std::map<std::string, std::function<void(EmqxDouble&, bool ill)>> illnesses{
        {"500", [](EmqxDouble& emqx, bool ill) { emqx.broken = ill ? 500 : 0; }},
        {"503", [](EmqxDouble& emqx, bool ill) { emqx.broken = ill ? 503 : 0; }},
        {"a redirect", [](EmqxDouble& emqx, bool ill) { emqx.broken = ill ? 302 : 0; }},
        {"silence", [](EmqxDouble& emqx, bool ill) { emqx.silent = ill; }}};
    for (const auto& illness : illnesses) {
      CAPTURE(illness.first);
      Site site;
      const std::vector<link::AgentId> all{site.agent(), site.agent()};
      illness.second(site.emqx, true);

      site.cutter->set_denied(all);
      site.manual.executor.advance(Milliseconds(120'000));
      const auto tried = site.emqx.requests.size();
      CHECK(tried > 2);    // Again and again,
      CHECK(tried < 200);  // but not in a frenzy.
      CHECK(site.manual.log.contains("a revoked agent is not kept out yet"));

      illness.second(site.emqx, false);
      site.manual.executor.advance(Milliseconds(31'000));
      for (const auto agent : all) CHECK(site.is_out(agent));
    }
  }

  TEST_CASE("a wrong API key is said to be one, and is not written anywhere") {
    Site site("a4697:wrong-s3cr3t");
    site.cutter->deny(site.agent());
    site.manual.executor.run_ready();

    CHECK(site.emqx.bans.empty());
    CHECK(site.manual.log.contains("check the API key"));
    CHECK(site.manual.log.contains("BAD_API_KEY_OR_SECRET"));
    CHECK_FALSE(site.manual.log.contains("wrong-s3cr3t"));
    CHECK_FALSE(site.manual.log.contains(to_base64("a4697:wrong-s3cr3t")));
  }

  TEST_CASE("an agent revoked while others wait for EMQX is tried at once") {
    Site site;
    site.emqx.broken = 503;
    site.cutter->deny(site.agent());
    site.manual.executor.advance(Milliseconds(300'000));
    site.emqx.broken = 0;

    const auto late = site.agent();
    site.cutter->deny(late);
    site.manual.executor.run_ready();

    CHECK(site.is_out(late));
  }

  TEST_CASE("a ban of other origin that ends soon is replaced when it has ended") {
    Site site;
    const auto revoked = site.agent();
    // EMQX bans clients that flap for some minutes by itself.
    site.emqx.bans[revoked.to_string()] =
        to_rfc3339(site.manual.clock.now() + Milliseconds(300'000));
    site.cutter->deny(revoked);
    site.manual.executor.run_ready();
    CHECK(site.emqx.kicked.size() == 1);

    site.emqx.bans.clear();
    site.manual.executor.advance(Milliseconds(61'000));

    CHECK(site.emqx.bans[revoked.to_string()].starts_with("2999-"));
  }

  TEST_CASE("after a stop nothing is called") {
    Site site;
    site.emqx.silent = true;
    site.cutter->deny(site.agent());
    site.manual.executor.run_ready();
    const auto before = site.emqx.requests.size();

    site.cutter->stop();
    site.cutter->deny(site.agent());
    site.manual.executor.advance(Milliseconds(600'000));

    CHECK(site.emqx.requests.size() == before);
  }

  TEST_CASE("the key travels over TLS, or to this very machine [R27]") {
    CHECK(opens("https://emqx.example:18084"));
    CHECK(opens("https://10.0.0.7:18084"));
    CHECK(opens("http://127.0.0.1:18083"));
    CHECK(opens("http://[::1]:18083"));
    for (const auto* url :
         {"http://emqx.example:18083", "http://localhost:18083", "http://127.evil.example:18083",
          "http://10.0.0.7:18083", "ftp://emqx.example", "emqx.example:18084", "",
          "https://emqx.example:18084/", "https://emqx.example:18084/api/v5",
          "https://user:password@emqx.example:18084"}) {
      CAPTURE(url);
      CHECK_FALSE(opens(url));
    }
    for (const auto* key : {"", ":", "k", "k:", ":s"}) {
      CAPTURE(key);
      CHECK_FALSE(opens("https://emqx.example:18084", key));
    }
  }
}
