// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/agent/enrollment.hpp>
#include <ecp/core/file.hpp>

#include "support/temporary_folder.hpp"
#include "unit/agent/plane_server.hpp"

using namespace ecp;
using ecp::testing::PlaneServer;
using ecp::testing::TemporaryFolder;
using ecp_test::failure;
using ecp_test::must;

namespace {

/// An enrolled gateway of its own plane.
struct Enrolled {
  Enrolled()
      : known(must(agent::enroll({plane.url(), "press-7", files.folder}, plane.token(),
                                 *plane.client, world.env()))) {}

  [[nodiscard]] pki::CertificateFacts facts() const {
    return must(pki::certificate_facts(must(read_file(files.identity(), 100'000))));
  }

  TemporaryFolder folder;
  agent::AgentFiles files{folder / "data"};
  ManualEnv world;
  PlaneServer plane;
  link::LinkDocument known;
};

}  // namespace

TEST_SUITE("agent.Renewal") {
  TEST_CASE("a certificate is due when two thirds of its life are over") {
    const Enrolled gateway;
    const auto facts = gateway.facts();
    const auto due = facts.not_before + (facts.not_after - facts.not_before) * 2 / 3;

    CHECK_FALSE(must(agent::needs_renewal(gateway.files, due - Milliseconds(1))));
    CHECK(must(agent::needs_renewal(gateway.files, due)));
    CHECK(must(agent::needs_renewal(gateway.files, facts.not_after + std::chrono::hours(1))));
  }

  TEST_CASE("a renewal is for a new key, proven by the old one, and replaces both together") {
    Enrolled gateway;
    const auto before = gateway.facts();
    gateway.plane.broker = "second.example";

    const auto document = must(agent::renew(gateway.files, gateway.known, *gateway.plane.client));

    CHECK(document.brokers.at(0).host == "second.example");
    CHECK(gateway.plane.last_renewed == to_hex(before.public_key));
    CHECK(gateway.facts().public_key != before.public_key);
    CHECK(gateway.facts().common_name == before.common_name);
    CHECK(agent::fetch_link_document(gateway.files, document, *gateway.plane.client).has_value());
  }

  TEST_CASE("a renewal shows no certificate, since one that is over would end the handshake") {
    Enrolled gateway;

    must(agent::renew(gateway.files, gateway.known, *gateway.plane.client));

    CHECK(gateway.plane.renewed_anonymously);
  }

  TEST_CASE("a lost answer to a renewal leaves the old certificate and is made good with one key") {
    Enrolled gateway;
    const auto before = gateway.facts();
    gateway.plane.answers_to_lose = 1;

    const auto lost = agent::renew(gateway.files, gateway.known, *gateway.plane.client);
    CHECK_FALSE(lost.has_value());
    CHECK(gateway.facts().public_key == before.public_key);
    must(agent::renew(gateway.files, gateway.known, *gateway.plane.client));

    CHECK(gateway.plane.keys.size() == 2);  // The first one, and one new one for both calls.
    CHECK(gateway.plane.keys[to_hex(gateway.facts().public_key)] == 2);
  }

  TEST_CASE("a key left over from a renewal that was cut short is not used twice") {
    Enrolled gateway;
    const auto identity = must(read_file(gateway.files.identity(), 100'000));
    const auto key = identity.substr(identity.find("-----BEGIN PRIVATE KEY-----"));
    CHECK(write_file_durably(gateway.files.new_key(), key).has_value());

    must(agent::renew(gateway.files, gateway.known, *gateway.plane.client));

    CHECK(gateway.plane.keys.size() == 2);
  }

  TEST_CASE("a refused renewal changes nothing") {
    Enrolled gateway;
    const auto before = must(read_file(gateway.files.identity(), 100'000));
    gateway.plane.refuses = true;

    const auto outcome = agent::renew(gateway.files, gateway.known, *gateway.plane.client);

    CHECK(failure(outcome) == "agent.server_refused");
    CHECK(must(read_file(gateway.files.identity(), 100'000)) == before);
  }

  TEST_CASE("an answer for another agent is not kept") {
    Enrolled gateway;
    const auto before = must(read_file(gateway.files.identity(), 100'000));
    gateway.plane.agent = gateway.plane.world.ids.next<link::AgentId>();

    const auto outcome = agent::renew(gateway.files, gateway.known, *gateway.plane.client);

    CHECK(failure(outcome) == "agent.bad_server_answer");
    CHECK(must(read_file(gateway.files.identity(), 100'000)) == before);
  }
}

TEST_SUITE("agent.LinkFetch") {
  TEST_CASE("the link document comes again over mutual TLS and is kept") {
    Enrolled gateway;
    gateway.plane.broker = "second.example";

    const auto fetched =
        agent::fetch_link_document(gateway.files, gateway.known, *gateway.plane.client);

    CHECK(must(fetched).brokers.at(0).host == "second.example");
    CHECK(must(agent::load_link_document(gateway.files)).brokers.at(0).host == "second.example");
  }

  TEST_CASE("[R20] nothing is fetched from a server of another root") {
    Enrolled gateway;
    PlaneServer other;
    auto elsewhere = gateway.known;
    elsewhere.https_urls = {other.url()};

    const auto outcome =
        agent::fetch_link_document(gateway.files, elsewhere, *gateway.plane.client);

    CHECK(failure(outcome) == "http.untrusted_server");
    CHECK(other.running.handled == 0);
  }

  TEST_CASE("a resource is taken only when its octets have the hash asked for") {
    Enrolled gateway;
    auto& client = *gateway.plane.client;
    const auto right = to_hex(sha256(gateway.plane.resource));
    const auto wrong = to_hex(sha256("else"));

    CHECK(must(agent::fetch_resource(gateway.files, gateway.known, client, right)) ==
          gateway.plane.resource);
    CHECK(failure(agent::fetch_resource(gateway.files, gateway.known, client, wrong)) ==
          "agent.wrong_body");
  }
}
