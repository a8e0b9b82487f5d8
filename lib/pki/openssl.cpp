// SPDX-License-Identifier: Apache-2.0
#include "pki/openssl.hpp"

#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>

#include <ecp/core/limits.hpp>
#include <ecp/pki/reasons.hpp>

namespace ecp::inline v0::pki::openssl {

namespace {

constexpr std::size_t max_certificates = 64;

// Never asks a terminal for a pass phrase.
int no_pass_phrase(char*, int, int, void*) { return -1; }

Result<Bio> open_text(std::string_view text) {
  if (text.size() > limits::mqtt_packet) return Error(reasons::bad_pem, {{"what", "text"}});
  Bio bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
  if (!bio) return failed("BIO_new_mem_buf");
  return bio;
}

std::string_view content_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

}  // namespace

Error failed(std::string_view step) {
  ERR_clear_error();
  return {reasons::failed, {{"step", std::string(step)}}};
}

Result<Key> read_key(const Secret& pem) {
  ECP_TRY(const auto bio, open_text(pem.view()));
  Key key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (!key) return Error(reasons::bad_pem, {{"what", "private key"}});
  return key;
}

Result<Secret> write_key(EVP_PKEY* key) {
  const Bio bio(BIO_new(BIO_s_secmem()));
  if (!bio ||
      PEM_write_bio_PKCS8PrivateKey(bio.get(), key, nullptr, nullptr, 0, nullptr, nullptr) != 1) {
    return failed("PEM_write_bio_PKCS8PrivateKey");
  }
  return Secret(content_of(bio.get()));
}

Result<Key> make_p256() {
  Key key(EVP_EC_gen("P-256"));
  if (!key) return failed("EVP_EC_gen");
  return key;
}

Result<Request> read_request(std::string_view pem) {
  ECP_TRY(const auto bio, open_text(pem));
  Request request(PEM_read_bio_X509_REQ(bio.get(), nullptr, no_pass_phrase, nullptr));
  ERR_clear_error();
  if (!request) return Error(reasons::bad_pem, {{"what", "certificate request"}});
  return request;
}

Result<std::vector<Certificate>> read_certificates(std::string_view pem) {
  ECP_TRY(const auto bio, open_text(pem));
  std::vector<Certificate> certificates;
  while (certificates.size() < max_certificates) {
    Certificate certificate(PEM_read_bio_X509(bio.get(), nullptr, no_pass_phrase, nullptr));
    if (!certificate) break;
    certificates.push_back(std::move(certificate));
  }
  // Only "no further PEM block" may end the text; a damaged block is an error.
  const bool at_end = ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
  ERR_clear_error();
  if (certificates.empty() || !at_end) return Error(reasons::bad_pem, {{"what", "certificate"}});
  return certificates;
}

Result<std::string> write_certificate(X509* certificate) {
  const Bio bio(BIO_new(BIO_s_mem()));
  if (!bio || PEM_write_bio_X509(bio.get(), certificate) != 1) return failed("PEM_write_bio_X509");
  return std::string(content_of(bio.get()));
}

Result<Sha256> digest_of(const EVP_PKEY* key) {
  unsigned char* der = nullptr;
  const int size = i2d_PUBKEY(key, &der);
  if (size <= 0) return failed("i2d_PUBKEY");
  const std::string octets(der, der + size);
  OPENSSL_free(der);
  return sha256(octets);
}

}  // namespace ecp::inline v0::pki::openssl
