// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Owners of OpenSSL objects and the readers and writers of PEM that this module shares.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/x509.h>

#include <ecp/core/bytes.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>

namespace ecp::inline v0::pki::openssl {

template <auto Free>
struct Deleter {
  template <class T>
  void operator()(T* object) const noexcept {
    Free(object);
  }
};
using Bio = std::unique_ptr<BIO, Deleter<BIO_free_all>>;
using Key = std::unique_ptr<EVP_PKEY, Deleter<EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Deleter<X509_free>>;
using Request = std::unique_ptr<X509_REQ, Deleter<X509_REQ_free>>;
using Name = std::unique_ptr<X509_NAME, Deleter<X509_NAME_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Deleter<EVP_MD_CTX_free>>;

/// The error for a step of OpenSSL that failed; empties its error queue.
Error failed(std::string_view step);

Result<Key> read_key(const Secret& pem);
Result<Secret> write_key(EVP_PKEY* key);
Result<Key> make_p256();
Result<Request> read_request(std::string_view pem);
/// All certificates of a text, at least one.
Result<std::vector<Certificate>> read_certificates(std::string_view pem);
Result<std::string> write_certificate(X509* certificate);
/// SHA-256 of the SubjectPublicKeyInfo.
Result<Sha256> digest_of(const EVP_PKEY* key);

}  // namespace ecp::inline v0::pki::openssl
