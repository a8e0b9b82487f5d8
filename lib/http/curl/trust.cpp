// SPDX-License-Identifier: Apache-2.0
#include "http/curl/trust.hpp"

#include <openssl/ssl.h>
#include <openssl/x509_vfy.h>
#include <openssl/x509v3.h>

#include <memory>

namespace ecp::inline v0::http::curl {
namespace {

bool has_digest(X509* certificate, const Sha256& pin) {
  unsigned char* der = nullptr;
  const int size = i2d_X509(certificate, &der);
  if (size <= 0) return false;
  const auto digest = sha256({reinterpret_cast<const char*>(der), static_cast<std::size_t>(size)});
  OPENSSL_free(der);
  return digest == pin;
}

/// The one certificate shown that carries the pin becomes the only anchor, then OpenSSL verifies
/// the chain with all its rules: signatures, times, purpose, name.
int verify_pinned(X509_STORE_CTX* context, void* pin_pointer) {
  const auto& pin = *static_cast<const Sha256*>(pin_pointer);
  STACK_OF(X509)* shown = X509_STORE_CTX_get0_untrusted(context);
  X509* leaf = X509_STORE_CTX_get0_cert(context);
  X509* anchor = has_digest(leaf, pin) ? leaf : nullptr;
  for (int i = 0; anchor == nullptr && i < sk_X509_num(shown); ++i) {
    if (has_digest(sk_X509_value(shown, i), pin)) anchor = sk_X509_value(shown, i);
  }
  if (anchor == nullptr) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_CERT_UNTRUSTED);
    return 0;
  }
  const std::unique_ptr<STACK_OF(X509), void (*)(STACK_OF(X509)*)> anchors(
      sk_X509_new_null(), [](STACK_OF(X509) * stack) { sk_X509_free(stack); });
  if (!anchors || sk_X509_push(anchors.get(), anchor) <= 0) {
    X509_STORE_CTX_set_error(context, X509_V_ERR_OUT_OF_MEM);
    return 0;
  }
  X509_STORE_CTX_set0_trusted_stack(context, anchors.get());
  // A root ends its chain by itself; the server's own certificate, and no other, may be an anchor
  // without being a root.
  X509_VERIFY_PARAM* rules = X509_STORE_CTX_get0_param(context);
  X509_VERIFY_PARAM_clear_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  if (anchor == leaf) X509_VERIFY_PARAM_set_flags(rules, X509_V_FLAG_PARTIAL_CHAIN);
  const int verified = X509_verify_cert(context);
  X509_STORE_CTX_set0_trusted_stack(context, nullptr);
  return verified;
}

}  // namespace

bool pin_server(SSL_CTX* context, const Sha256* pin) {
  SSL_CTX_set_cert_verify_callback(context, verify_pinned, const_cast<Sha256*>(pin));
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  return true;
}

bool name_server(SSL_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1 ||
         X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1;
}

void judge_at(SSL_CTX* context, Time time) {
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(time.time_since_epoch());
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context), static_cast<time_t>(seconds.count()));
}

}  // namespace ecp::inline v0::http::curl
