// SPDX-License-Identifier: Apache-2.0
#include "http/beast/tls.hpp"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <array>
#include <string_view>

#include <ecp/http/reasons.hpp>

namespace ecp::inline v0::http::beast {
namespace {

template <auto free>
struct Freed {
  template <class T>
  void operator()(T* object) const {
    free(object);
  }
};
using BioPointer = std::unique_ptr<BIO, Freed<BIO_free>>;
using CertificatePointer = std::unique_ptr<X509, Freed<X509_free>>;
using KeyPointer = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;

Error bad_tls(std::string_view what) {
  std::array<char, 160> text{};
  ERR_error_string_n(ERR_peek_last_error(), text.data(), text.size());
  ERR_clear_error();
  return Error(reasons::bad_tls, {{"what", std::string(what)}, {"problem", text.data()}});
}

BioPointer reader(std::string_view text) {
  return BioPointer(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

/// Encrypted keys are refused instead of asking on a terminal.
int no_password(char*, int, int, void*) { return 0; }

Result<void> use_chain(SSL_CTX* context, std::string_view pem) {
  const auto bio = reader(pem);
  const CertificatePointer leaf(PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr));
  if (!leaf || SSL_CTX_use_certificate(context, leaf.get()) != 1) return bad_tls("certificate");
  while (X509* next = PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)) {
    if (SSL_CTX_add0_chain_cert(context, next) != 1) {
      X509_free(next);
      return bad_tls("certificate chain");
    }
  }
  ERR_clear_error();  // The end of the text is reported as an error.
  return {};
}

Result<void> use_key(SSL_CTX* context, const Secret& pem) {
  const auto bio = reader(pem.view());
  const KeyPointer key(PEM_read_bio_PrivateKey(bio.get(), nullptr, no_password, nullptr));
  if (!key || SSL_CTX_use_PrivateKey(context, key.get()) != 1) return bad_tls("private key");
  if (SSL_CTX_check_private_key(context) != 1) return bad_tls("key of the certificate");
  return {};
}

/// Ask clients for a certificate, and name and trust these issuers alone.
Result<void> request_client_certificates(SSL_CTX* context, std::string_view pem) {
  const auto bio = reader(pem);
  X509_STORE* store = SSL_CTX_get_cert_store(context);
  int count = 0;
  while (CertificatePointer issuer{PEM_read_bio_X509(bio.get(), nullptr, no_password, nullptr)}) {
    if (X509_STORE_add_cert(store, issuer.get()) != 1 ||
        SSL_CTX_add_client_CA(context, issuer.get()) != 1) {
      return bad_tls("agent CA");
    }
    ++count;
  }
  if (count == 0) return bad_tls("agent CA");
  ERR_clear_error();
  X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN);  // The issuer named is the anchor.
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return {};
}

}  // namespace

Result<std::shared_ptr<net::ssl::context>> make_context(const ServerTls& tls) {
  auto made = std::make_shared<net::ssl::context>(net::ssl::context::tls_server);
  SSL_CTX* context = made->native_handle();
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
                                   SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
  if (SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1) {
    return bad_tls("list of ciphers");
  }
  ECP_TRY_VOID(use_chain(context, tls.certificate_chain_pem));
  ECP_TRY_VOID(use_key(context, tls.key_pem));
  if (!tls.client_ca_pem.empty()) {
    ECP_TRY_VOID(request_client_certificates(context, tls.client_ca_pem));
  }
  return made;
}

std::optional<PeerCertificate> peer_certificate(SSL* connection) {
  const CertificatePointer shown(SSL_get1_peer_certificate(connection));
  if (!shown || SSL_get_verify_result(connection) != X509_V_OK) return std::nullopt;
  PeerCertificate peer;
  std::array<char, 256> name{};
  const int length = X509_NAME_get_text_by_NID(X509_get_subject_name(shown.get()), NID_commonName,
                                               name.data(), static_cast<int>(name.size()));
  if (length > 0) peer.common_name.assign(name.data(), static_cast<std::size_t>(length));
  const int size = i2d_X509(shown.get(), nullptr);
  if (size <= 0) return std::nullopt;
  peer.der.resize(static_cast<std::size_t>(size));
  auto* out = reinterpret_cast<unsigned char*>(peer.der.data());
  i2d_X509(shown.get(), &out);
  return peer;
}

}  // namespace ecp::inline v0::http::beast
