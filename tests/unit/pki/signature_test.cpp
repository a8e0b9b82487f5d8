// SPDX-License-Identifier: Apache-2.0
#include <doctest/doctest.h>

#include <ecp/pki/reasons.hpp>
#include <ecp/pki/signature.hpp>

using namespace ecp;

TEST_SUITE("pki.SigningKey") {
  TEST_CASE("a signature fits its octets and its key, and nothing else") {
    const auto key = pki::SigningKey::generate().value();
    const auto other = pki::SigningKey::generate().value();
    const Bytes signature = key.sign("manifest");

    CHECK(pki::verify_signature(key.public_key(), "manifest", signature));
    CHECK_FALSE(pki::verify_signature(key.public_key(), "manifesT", signature));
    CHECK_FALSE(pki::verify_signature(other.public_key(), "manifest", signature));
    auto changed = signature;
    changed[5] = static_cast<char>(changed[5] ^ 1);
    CHECK_FALSE(pki::verify_signature(key.public_key(), "manifest", changed));
  }

  TEST_CASE("keys and signatures of a wrong size are refused, not read past their end") {
    const auto key = pki::SigningKey::generate().value();
    const Bytes signature = key.sign("x");
    for (const std::size_t size : {0U, 1U, 31U, 63U}) {
      const auto cut = BytesView(signature).substr(0, size);
      CHECK(pki::verify_signature(key.public_key(), "x", cut)
                .error()
                .is(pki::reasons::bad_signature));
      CHECK_FALSE(pki::verify_signature(cut, "x", signature));
    }
  }

  TEST_CASE("a key that was stored signs as before") {
    const auto key = pki::SigningKey::generate().value();

    const auto again = pki::SigningKey::from_secret(key.to_secret());

    REQUIRE(again);
    CHECK(again->key_id() == key.key_id());
    CHECK(again->public_key() == key.public_key());
    CHECK(again->sign("x") == key.sign("x"));
    CHECK(key.key_id() == pki::key_id_of(key.public_key()));
    CHECK(key.key_id().size() == 16);
  }

  TEST_CASE("a damaged stored key is data loss") {
    for (const auto* text : {"", "AAAA", "not base64!"}) {
      auto read = pki::SigningKey::from_secret(Secret(text));
      REQUIRE_FALSE(read);
      CHECK(read.error().code() == ErrorCode::data_loss);
    }
  }
}
