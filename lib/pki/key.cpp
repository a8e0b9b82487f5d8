// SPDX-License-Identifier: Apache-2.0
#include <ecp/pki/certificate.hpp>
#include <ecp/pki/reasons.hpp>

#include <openssl/err.h>
#include <openssl/pem.h>

#include "pki/openssl.hpp"

namespace ecp::inline v0::pki {

namespace {

constexpr std::size_t max_signature = 256;

const unsigned char* octets_of(BytesView view) {
  return reinterpret_cast<const unsigned char*>(view.data());
}

Error bad_request(std::string_view problem) {
  ERR_clear_error();
  return {reasons::bad_request, {{"problem", std::string(problem)}}};
}

}  // namespace

Result<Secret> make_p256_key() {
  ECP_TRY(const auto key, openssl::make_p256());
  return openssl::write_key(key.get());
}

Result<std::string> make_csr(const Secret& key_pem, std::string_view common_name) {
  ECP_TRY(const auto key, openssl::read_key(key_pem));
  const openssl::Request request(X509_REQ_new());
  const openssl::Name subject(X509_NAME_new());
  const openssl::Bio out(BIO_new(BIO_s_mem()));
  if (!request || !subject || !out ||
      X509_NAME_add_entry_by_NID(subject.get(), NID_commonName, MBSTRING_UTF8,
                                 octets_of(common_name), static_cast<int>(common_name.size()), -1,
                                 0) != 1 ||
      X509_REQ_set_subject_name(request.get(), subject.get()) != 1 ||
      X509_REQ_set_pubkey(request.get(), key.get()) != 1 ||
      X509_REQ_sign(request.get(), key.get(), EVP_sha256()) <= 0 ||
      PEM_write_bio_X509_REQ(out.get(), request.get()) != 1) {
    return openssl::failed("X509_REQ_sign");
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(out.get(), &data);
  return std::string(data, static_cast<std::size_t>(size));
}

Result<Sha256> check_csr(std::string_view csr_pem) {
  ECP_TRY(const auto request, openssl::read_request(csr_pem));
  EVP_PKEY* key = X509_REQ_get0_pubkey(request.get());
  if (key == nullptr) return bad_request("has no readable key");
  char group[32] = "";
  if (EVP_PKEY_get_group_name(key, group, sizeof group, nullptr) != 1 ||
      std::string_view(group) != "prime256v1") {
    return bad_request("has a key that is not P-256");
  }
  if (X509_REQ_verify(request.get(), key) != 1) return bad_request("is not signed by its key");
  return openssl::digest_of(key);
}

Result<Sha256> public_key_digest(const Secret& key_pem) {
  ECP_TRY(const auto key, openssl::read_key(key_pem));
  return openssl::digest_of(key.get());
}

Result<Bytes> sign_with_key(const Secret& key_pem, BytesView octets) {
  ECP_TRY(const auto key, openssl::read_key(key_pem));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  Bytes signature(max_signature, '\0');
  std::size_t size = signature.size();
  if (!context ||
      EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), reinterpret_cast<unsigned char*>(signature.data()), &size,
                     octets_of(octets), octets.size()) != 1) {
    return openssl::failed("EVP_DigestSign");
  }
  signature.resize(size);
  return signature;
}

Result<void> verify_with_certificate(std::string_view certificate_pem, BytesView octets,
                                     BytesView signature) {
  ECP_TRY(const auto certificates, openssl::read_certificates(certificate_pem));
  const openssl::DigestContext context(EVP_MD_CTX_new());
  EVP_PKEY* key = X509_get0_pubkey(certificates.front().get());
  if (!context || key == nullptr ||
      EVP_DigestVerifyInit(context.get(), nullptr, EVP_sha256(), nullptr, key) != 1) {
    return openssl::failed("EVP_DigestVerifyInit");
  }
  const int fits = EVP_DigestVerify(context.get(), octets_of(signature), signature.size(),
                                    octets_of(octets), octets.size());
  ERR_clear_error();
  if (fits != 1) return reasons::bad_signature;
  return {};
}

}  // namespace ecp::inline v0::pki
