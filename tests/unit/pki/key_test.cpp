// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/core/env.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/pki/certificate.hpp>
#include <ecp/pki/reasons.hpp>

using namespace ecp;

TEST_SUITE("pki.Key") {
  TEST_CASE("a request proves its key, and carries the key's digest") {
    const auto key = pki::make_p256_key().value();
    const auto csr = pki::make_csr(key, "whatever").value();

    auto digest = pki::check_csr(csr);

    REQUIRE(digest);
    CHECK(*digest == pki::public_key_digest(key).value());
    CHECK(*digest != pki::public_key_digest(pki::make_p256_key().value()).value());
  }

  TEST_CASE("damaged requests are refused with a typed error") {
    const auto csr = pki::make_csr(pki::make_p256_key().value(), "x").value();
    for (std::size_t at = 40; at < csr.size() - 40; at += 7) {
      std::string damaged = csr;
      damaged[at] = damaged[at] == 'A' ? 'B' : 'A';
      auto checked = pki::check_csr(damaged);
      REQUIRE_FALSE(checked);
      CHECK(checked.error().code() == ErrorCode::invalid_argument);
    }
    for (const auto* text : {"", "x", "-----BEGIN CERTIFICATE REQUEST-----\n"}) {
      CHECK(pki::check_csr(text).error().is(pki::reasons::bad_pem));
    }
  }

  TEST_CASE("a request with an RSA key is refused") {
    // openssl req -new -newkey rsa:2048 -nodes -subj /CN=x
    const std::string csr =
#include "rsa_request.inc"
        ;
    CHECK(pki::check_csr(csr).error().is(pki::reasons::bad_request));
  }

  TEST_CASE("a renewal is proven by the old key over the server's nonce") {
    ManualEnv world;
    const auto authority = pki::Authority::create("acme", world.env()).value();
    const auto key = pki::make_p256_key().value();
    const auto issued = authority.issue_agent(pki::make_csr(key, "x").value(), "node_1").value();

    const auto signature = pki::sign_with_key(key, "nonce").value();

    CHECK(pki::verify_with_certificate(issued.chain_pem, "nonce", signature));
    CHECK(pki::verify_with_certificate(issued.chain_pem, "nonc3", signature)
              .error()
              .is(pki::reasons::bad_signature));
    const auto stranger = pki::sign_with_key(pki::make_p256_key().value(), "nonce").value();
    CHECK_FALSE(pki::verify_with_certificate(issued.chain_pem, "nonce", stranger));
    CHECK_FALSE(pki::verify_with_certificate(issued.chain_pem, "nonce", ""));
  }
}
