// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <set>

#include <ecp/core/env.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/pki/reasons.hpp>

using namespace ecp;
using namespace std::chrono_literals;

namespace {

/// An authority in a world that stands still.
struct World {
  ManualEnv env;
  pki::Authority authority = pki::Authority::create("acme", env.env()).value();
  Secret key = pki::make_p256_key().value();

  pki::IssuedCertificate agent(std::string_view name = "node_7") {
    return authority.issue_agent(pki::make_csr(key, "ignored").value(), name).value();
  }
  [[nodiscard]] Result<void> verify(const std::string& chain, pki::Usage usage,
                                    std::string_view host = {},
                                    Milliseconds later = Milliseconds(0)) const {
    return pki::verify_chain(
        {chain, {}, authority.root_pem(), env.clock.now() + later, usage, host});
  }
};

}  // namespace

TEST_SUITE("pki.Authority") {
  TEST_CASE("[R17] an agent gets the name that the server chose and no other of its request") {
    World world;

    const auto issued = world.agent("node_7");

    CHECK(issued.facts.common_name == "node_7");
    CHECK(issued.facts.names.empty());
    CHECK_FALSE(issued.facts.is_authority);
    CHECK(issued.facts.public_key == pki::public_key_digest(world.key).value());
    CHECK(pki::count_certificates(issued.chain_pem).value() == 2);
  }

  TEST_CASE("an agent's certificate is good as a client, never as a server") {
    World world;
    const auto issued = world.agent();
    CHECK(world.verify(issued.chain_pem, pki::Usage::client));
    CHECK(world.verify(issued.chain_pem, pki::Usage::server).error().is(pki::reasons::untrusted));
  }

  TEST_CASE("a server's certificate is good for its names alone, and never as a client") {
    World world;
    const auto issued =
        world.authority.issue_server(world.key, {"plane.example", "127.0.0.1", "::1"}).value();

    CHECK(issued.facts.common_name.empty());
    CHECK(issued.facts.names == std::vector<std::string>{"plane.example", "127.0.0.1", "::1"});
    CHECK(world.verify(issued.chain_pem, pki::Usage::server, "plane.example"));
    CHECK(world.verify(issued.chain_pem, pki::Usage::server, "127.0.0.1"));
    CHECK(world.verify(issued.chain_pem, pki::Usage::server, "::1"));
    CHECK_FALSE(world.verify(issued.chain_pem, pki::Usage::server, "other.example"));
    CHECK_FALSE(world.verify(issued.chain_pem, pki::Usage::server, "127.0.0.2"));
    CHECK_FALSE(world.verify(issued.chain_pem, pki::Usage::client));
  }

  TEST_CASE("a replica's certificate is a client named ecpd-..., which no agent can be called") {
    World world;
    const auto issued = world.authority.issue_replica(world.key, "r1").value();
    CHECK(issued.facts.common_name == "ecpd-r1");
    CHECK(world.verify(issued.chain_pem, pki::Usage::client));
    CHECK_FALSE(world.verify(issued.chain_pem, pki::Usage::server));

    const auto csr = pki::make_csr(world.key, "x").value();
    for (const auto* name : {"ecpd-r1", "", "+", "#", "a/b", "$SYS", "Node", "a b", "a\n"}) {
      CAPTURE(name);
      CHECK(world.authority.issue_agent(csr, name).error().is(pki::reasons::bad_name));
    }
  }

  TEST_CASE("certificates hold from a day back until their life ends") {
    World world;
    const auto issued = world.agent();
    CHECK(issued.facts.not_before <= world.env.clock.now() - 24h);
    CHECK(world.verify(issued.chain_pem, pki::Usage::client, {}, -23h));
    CHECK_FALSE(world.verify(issued.chain_pem, pki::Usage::client, {}, -25h));
    CHECK(world.verify(issued.chain_pem, pki::Usage::client, {}, 24h * 89));
    CHECK_FALSE(world.verify(issued.chain_pem, pki::Usage::client, {}, 24h * 91));
    const auto root = pki::certificate_facts(world.authority.root_pem()).value();
    CHECK(root.is_authority);
    CHECK(root.not_after > world.env.clock.now() + 24h * 365 * 19);
  }

  TEST_CASE("serials are random, 128 bits, and recorded before the certificate exists") {
    World world;
    std::set<std::string> serials;
    for (int i = 0; i < 50; ++i) serials.insert(world.agent().facts.serial);
    CHECK(serials.size() == 50);
    for (const auto& serial : serials) CHECK(serial.size() > 24);

    std::string recorded;
    const auto csr = pki::make_csr(world.key, "x").value();
    const auto issued = world.authority.issue_agent_recorded(
        csr, "node_7", pki::leaf_life, [&recorded](const std::string& serial, Time) {
          recorded = serial;
          return Result<void>();
        });
    CHECK(issued.value().facts.serial == recorded);

    auto refused = world.authority.issue_agent_recorded(
        csr, "node_7", pki::leaf_life,
        [](const std::string&, Time) -> Result<void> { return pki::reasons::bad_signature; });
    CHECK(refused.error().is(pki::reasons::bad_signature));
  }

  TEST_CASE("another authority's certificates, and bare leaves, are not trusted") {
    World world;
    World foreign;
    CHECK_FALSE(world.verify(foreign.agent().chain_pem, pki::Usage::client));
    const auto chain = world.agent().chain_pem;
    const auto leaf = chain.substr(0, chain.find("-----END") + 26);
    CHECK_FALSE(world.verify(leaf, pki::Usage::client));
    CHECK(pki::verify_chain({leaf,
                             world.authority.agent_ca_pem(),
                             world.authority.root_pem(),
                             world.env.clock.now(),
                             pki::Usage::client,
                             {}}));
  }

  TEST_CASE("an agent cannot issue certificates with its own") {
    World world;
    // A leaf put in the place of an issuing CA breaks the chain at its basic constraints.
    const auto agent = world.agent();
    World other;
    const auto foreign = other.agent();
    CHECK_FALSE(pki::verify_chain({foreign.chain_pem,
                                   agent.chain_pem,
                                   world.authority.root_pem(),
                                   world.env.clock.now(),
                                   pki::Usage::client,
                                   {}}));
  }

  TEST_CASE("a stored authority goes on as before, a damaged one is data loss") {
    World world;
    const Secret stored = world.authority.to_secret();

    auto again = pki::Authority::from_secret(stored, world.env.env());

    REQUIRE(again);
    CHECK(again->root_pem() == world.authority.root_pem());
    const auto csr = pki::make_csr(world.key, "x").value();
    const auto issued = again->issue_agent(csr, "node_8").value();
    CHECK(world.verify(issued.chain_pem, pki::Usage::client));
    const auto text = stored.view();
    auto damaged =
        pki::Authority::from_secret(Secret(text.substr(0, text.size() / 2)), world.env.env());
    REQUIRE_FALSE(damaged);
    CHECK(damaged.error().code() == ErrorCode::data_loss);
  }

  TEST_CASE("server names that could carry more than a name are refused") {
    World world;
    for (const auto* name : {"", "a,DNS:b", "a b", "a\nb", "a/b", "[::1]"}) {
      CAPTURE(name);
      CHECK(world.authority.issue_server(world.key, {name}).error().is(pki::reasons::bad_name));
    }
    CHECK_FALSE(world.authority.issue_server(world.key, {}));
  }

  TEST_CASE("texts that are no certificates are refused") {
    for (const auto* text :
         {"", "x", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"}) {
      CHECK_FALSE(pki::certificate_facts(text));
      CHECK_FALSE(pki::count_certificates(text));
    }
    World world;
    auto chain = world.agent().chain_pem;
    chain[chain.size() / 2 + 100] = '!';
    CHECK_FALSE(pki::count_certificates(chain));
  }
}
