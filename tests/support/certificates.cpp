// SPDX-License-Identifier: Apache-2.0
#include "support/certificates.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>

#include <cstdlib>
#include <memory>

namespace ecp::testing {
namespace {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509_free>>;
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

/// A broken test set-up is no test result.
void demand(bool good) {
  if (!good) std::abort();
}

std::string text_of(BIO* bio) {
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  return {data, static_cast<std::size_t>(size)};
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  if (value.empty()) return;
  X509V3_CTX context;
  X509V3_set_ctx_nodb(&context);
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509_EXTENSION* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  demand(extension != nullptr);
  X509_add_ext(certificate, extension, -1);
  X509_EXTENSION_free(extension);
}

}  // namespace

KeyAndCertificate make_certificate(const CertificateWish& wish, const KeyAndCertificate* issuer) {
  const Key key(EVP_EC_gen("P-256"));
  const Certificate made(X509_new());
  X509_set_version(made.get(), 2);
  unsigned char serial[8];
  demand(RAND_bytes(serial, sizeof serial) == 1);
  ASN1_INTEGER_set_uint64(X509_get_serialNumber(made.get()),
                          *reinterpret_cast<std::uint64_t*>(serial) >> 1);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), wish.starts_in_s);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), wish.ends_in_s);
  X509_set_pubkey(made.get(), key.get());
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_UTF8,
                             reinterpret_cast<const unsigned char*>(wish.common_name.c_str()), -1,
                             -1, 0);
  Certificate issuer_certificate;
  Key issuer_key;
  if (issuer != nullptr) {
    const Bio pem(BIO_new_mem_buf(issuer->certificate_pem.data(), -1));
    issuer_certificate.reset(PEM_read_bio_X509(pem.get(), nullptr, nullptr, nullptr));
    const Bio key_pem(BIO_new_mem_buf(issuer->key_pem.data(), -1));
    issuer_key.reset(PEM_read_bio_PrivateKey(key_pem.get(), nullptr, nullptr, nullptr));
  }
  X509* signer = issuer_certificate ? issuer_certificate.get() : made.get();
  X509_set_issuer_name(made.get(), X509_get_subject_name(signer));
  extend(made.get(), signer, NID_basic_constraints,
         wish.is_authority ? "critical,CA:TRUE" : "critical,CA:FALSE");
  extend(made.get(), signer, NID_subject_key_identifier, "hash");
  if (!wish.is_authority) {
    extend(made.get(), signer, NID_ext_key_usage, wish.usage);
    extend(made.get(), signer, NID_subject_alt_name, wish.alternative_names);
  }
  demand(X509_sign(made.get(), issuer_key ? issuer_key.get() : key.get(), EVP_sha256()) > 0);

  KeyAndCertificate result;
  const Bio pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_X509(pem.get(), made.get());
  result.certificate_pem = text_of(pem.get());
  const Bio key_pem(BIO_new(BIO_s_mem()));
  PEM_write_bio_PrivateKey(key_pem.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  result.key_pem = text_of(key_pem.get());
  unsigned char* der = nullptr;
  const int size = i2d_X509(made.get(), &der);
  result.digest = sha256({reinterpret_cast<char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return result;
}

}  // namespace ecp::testing
