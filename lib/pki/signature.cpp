// SPDX-License-Identifier: Apache-2.0
#include <ecp/pki/signature.hpp>

#include <algorithm>

#include <sodium.h>

#include <ecp/pki/reasons.hpp>

namespace ecp::inline v0::pki {

static_assert(ed25519_public_size == crypto_sign_PUBLICKEYBYTES);
static_assert(ed25519_signature_size == crypto_sign_BYTES);

namespace {

using PublicKey = std::array<unsigned char, crypto_sign_PUBLICKEYBYTES>;
using SecretKey = std::array<unsigned char, crypto_sign_SECRETKEYBYTES>;

const unsigned char* octets_of(BytesView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

template <class Array>
std::string_view view_of(const Array& array) {
  return {reinterpret_cast<const char*>(array.data()), array.size()};
}

}  // namespace

SigningKey::SigningKey(Secret pair, Bytes public_key)
    : pair_(std::move(pair)), public_key_(std::move(public_key)), key_id_(key_id_of(public_key_)) {}

Result<SigningKey> SigningKey::generate() {
  if (sodium_init() < 0) return Error(reasons::failed, {{"step", "sodium_init"}});
  PublicKey public_key;
  SecretKey secret_key;
  crypto_sign_keypair(public_key.data(), secret_key.data());
  SigningKey key(Secret(view_of(secret_key)), Bytes(view_of(public_key)));
  sodium_memzero(secret_key.data(), secret_key.size());
  return key;
}

Result<SigningKey> SigningKey::from_secret(const Secret& text) {
  if (sodium_init() < 0) return Error(reasons::failed, {{"step", "sodium_init"}});
  std::array<unsigned char, crypto_sign_SEEDBYTES> seed{};
  std::size_t size = 0;
  const auto coded = text.view();
  if (sodium_base642bin(seed.data(), seed.size(), coded.data(), coded.size(), nullptr, &size,
                        nullptr, sodium_base64_VARIANT_ORIGINAL) != 0 ||
      size != seed.size()) {
    return Error(reasons::bad_key, {{"what", "signing key"}});
  }
  PublicKey public_key;
  SecretKey secret_key;
  crypto_sign_seed_keypair(public_key.data(), secret_key.data(), seed.data());
  SigningKey key(Secret(view_of(secret_key)), Bytes(view_of(public_key)));
  sodium_memzero(seed.data(), seed.size());
  sodium_memzero(secret_key.data(), secret_key.size());
  return key;
}

Secret SigningKey::to_secret() const {
  std::array<char, sodium_base64_ENCODED_LEN(crypto_sign_SEEDBYTES, sodium_base64_VARIANT_ORIGINAL)>
      text{};
  // The first octets of libsodium's secret key are its seed.
  sodium_bin2base64(text.data(), text.size(), octets_of(pair_.view()), crypto_sign_SEEDBYTES,
                    sodium_base64_VARIANT_ORIGINAL);
  Secret secret{std::string_view(text.data())};
  sodium_memzero(text.data(), text.size());
  return secret;
}

Bytes SigningKey::sign(BytesView octets) const {
  Bytes signature(crypto_sign_BYTES, '\0');
  crypto_sign_detached(reinterpret_cast<unsigned char*>(signature.data()), nullptr,
                       octets_of(octets), octets.size(), octets_of(pair_.view()));
  return signature;
}

std::string key_id_of(BytesView public_key) { return to_hex(sha256(public_key)).substr(0, 16); }

Result<void> verify_signature(BytesView public_key, BytesView octets, BytesView signature) {
  if (public_key.size() != ed25519_public_size || signature.size() != ed25519_signature_size ||
      sodium_init() < 0 ||
      crypto_sign_verify_detached(octets_of(signature), octets_of(octets), octets.size(),
                                  octets_of(public_key)) != 0) {
    return reasons::bad_signature;
  }
  return {};
}

}  // namespace ecp::inline v0::pki
