// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A control plane's HTTPS side for agents: a real server with a real authority, in memory.

#include <atomic>
#include <map>
#include <memory>
#include <string>

#include <ecp/core/json.hpp>
#include <ecp/http/client.hpp>
#include <ecp/http/server.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pki/authority.hpp>

#include "support/results.hpp"
#include "unit/http/running_server.hpp"

namespace ecp::testing {

class PlaneServer {
 public:
  explicit PlaneServer(const Clock& clock = system_clock())
      : clock_(clock),
        authority(ecp_test::must(pki::Authority::create("Works", env()))),
        server_time(clock.now()),
        running([this](const http::Request& request) { return answer(request); }, options()),
        client(ecp_test::must(http::open_client(running.env()))) {}

  [[nodiscard]] std::string url() const {
    return "https://127.0.0.1:" + std::to_string(running.server->port());
  }
  /// A token whose pin is this server's root.
  [[nodiscard]] Secret token() const {
    const auto pin = ecp_test::must(pki::last_certificate_digest(authority.root_pem()));
    return Secret("ecpt_" + std::string(43, 'A') + "." + to_hex(pin));
  }
  [[nodiscard]] link::LinkDocument document() const {
    link::LinkDocument made;
    made.agent = agent;
    made.brokers = {{broker, 8883}};
    made.https_urls = {"https://127.0.0.1:1", url()};  // Nobody listens at the first.
    made.trust_roots_pem = authority.root_pem();
    made.server_time = server_time;
    return made;
  }

  ManualEnv world;

 private:
  const Clock& clock_;

  Env env() {
    auto made = world.env();
    return {clock_, made.random, made.ids, made.executor, made.workers, made.log, made.limits};
  }

 public:
  pki::Authority authority;
  link::AgentId agent = world.ids.next<link::AgentId>();
  std::string broker = "first.example";
  std::string resource = "{\"drivers\":[]}";
  Time server_time;
  std::atomic<int> answers_to_lose{0};  ///< The work is done, the answer is not sent.
  std::atomic<bool> refuses{false};
  std::map<std::string, int> keys;  ///< Digest of each key a certificate was made for.
  std::string last_renewed;         ///< Digest of the old certificate's key.
  bool renewed_anonymously = false;
  std::string refusal = "these are the server's words";

 private:
  http::ServerOptions options() {
    const auto key = ecp_test::must(pki::make_p256_key());
    const auto issued = ecp_test::must(authority.issue_server(key, {"localhost", "127.0.0.1"}));
    http::ServerOptions made;
    made.tls = http::ServerTls{issued.chain_pem + authority.root_pem(), key.clone(),
                               authority.agent_ca_pem()};
    return made;
  }

  static http::Response json(std::string body) {
    http::Response response;
    response.headers.add("Content-Type", "application/json");
    response.body = std::move(body);
    return response;
  }
  [[nodiscard]] http::Response status(int number) const {
    auto response = json(R"({"code":1,"reason":"x.y","message":")" + refusal + R"("})");
    response.status = number;
    return response;
  }

  http::Response answer(const http::Request& request) {
    if (refuses) return status(401);
    http::Response response = status(404);
    if (request.path == "/agent/v1/nonce") return json(R"({"nonce":"once"})");
    if (request.path == "/agent/v1/enroll") response = certify(request, false);
    if (request.path == "/agent/v1/renew") response = certify(request, true);
    const bool known = request.client_name == agent.to_string();
    if (request.path == "/agent/v1/link") {
      response = known ? json(to_json(document())) : status(401);
    }
    if (request.path.starts_with("/agent/v1/resources/")) {
      response = known ? json(resource) : status(401);
    }
    if (answers_to_lose > 0) {
      --answers_to_lose;
      return status(503);
    }
    return response;
  }

  http::Response certify(const http::Request& request, bool renews) {
    auto body = json::ObjectDocument::parse(request.body);
    if (!body) return status(400);
    auto& reader = body->reader();
    const auto csr = reader.raw_text("csr", 65'536);
    if (!csr) return status(400);
    if (renews) renewed_anonymously = !request.client_name;
    if (renews && !is_proven(reader, *csr)) return status(403);
    if (!renews && reader.raw_text("token", 1'000).value_or("") != token().view()) {
      return status(401);
    }
    const auto key = pki::check_csr(*csr);
    const auto issued = authority.issue_agent(*csr, agent.to_string());
    if (!key || !issued) return status(400);
    ++keys[to_hex(*key)];
    json::Writer writer;
    writer.begin_object().field("agent", agent.to_string());
    writer.field("certificate_chain_pem", issued->chain_pem).key("link").raw(to_json(document()));
    writer.field("root_pem", authority.root_pem()).end_object();
    return json(writer.take());
  }

  bool is_proven(json::Reader& reader, const std::string& csr) {
    const auto certificate = reader.raw_text("certificate", 65'536);
    const auto nonce = reader.raw_text("nonce", 100);
    const auto signature = reader.raw_text("signature", 1'000);
    if (!certificate || !nonce || !signature || *nonce != "once") return false;
    const auto octets = from_base64(*signature);
    const auto facts = pki::certificate_facts(*certificate);
    if (!octets || !facts) return false;
    last_renewed = to_hex(facts->public_key);
    return pki::verify_with_certificate(*certificate, "ecp-renew-v1" + *nonce + csr, *octets)
        .has_value();
  }

 public:
  RunningServer running;
  std::unique_ptr<http::Client> client;
};

}  // namespace ecp::testing
