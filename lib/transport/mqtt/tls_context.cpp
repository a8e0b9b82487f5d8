// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/tls_context.hpp"

#include <arpa/inet.h>

#include <array>
#include <chrono>

#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <ecp/transport/reasons.hpp>

namespace ecp::inline v0::transport {
namespace {

/// Encrypted key files are not ours; OpenSSL must not ask a terminal for the pass phrase.
int no_pass_phrase(char*, int, int, void*) { return 0; }

Error unusable(std::string_view option, const std::string& path) {
  const auto code = ERR_get_error();
  const char* reason = code != 0 ? ERR_reason_error_string(code) : nullptr;
  ERR_clear_error();
  return {reasons::bad_options,
          {{"option", std::string(option)},
           {"problem", path + ": " + (reason != nullptr ? reason : "cannot be used")}}};
}

int verify(X509_STORE_CTX* context, void* verdict) {
  const int verified = X509_verify_cert(context);
  if (verified != 1) {
    *static_cast<std::string*>(verdict) =
        X509_verify_cert_error_string(X509_STORE_CTX_get_error(context));
  }
  return verified;
}

bool is_address(const std::string& host) {
  std::array<unsigned char, sizeof(in6_addr)> octets{};
  return inet_pton(AF_INET, host.c_str(), octets.data()) == 1 ||
         inet_pton(AF_INET6, host.c_str(), octets.data()) == 1;
}

bool expect_host(SSL_CTX* context, const std::string& host) {
  X509_VERIFY_PARAM* rules = SSL_CTX_get0_param(context);
  X509_VERIFY_PARAM_set_hostflags(
      rules, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(rules, host.c_str()) == 1;
  return X509_VERIFY_PARAM_set1_host(rules, host.c_str(), host.size()) == 1;
}

}  // namespace

Result<TlsContext> make_tls_context(const MqttTls& tls, const std::string& host, Time now,
                                    std::string& verdict) {
  ERR_clear_error();
  TlsContext context(SSL_CTX_new(TLS_client_method()));
  if (!context) return unusable("tls", "a new context");
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_RELEASE_BUFFERS);  // Thousands of clients may share us.
  SSL_CTX_set_read_ahead(context.get(), 1);  // Many records of a busy connection at one call.
  SSL_CTX_set_default_passwd_cb(context.get(), no_pass_phrase);
  if (SSL_CTX_load_verify_file(context.get(), tls.roots_path.c_str()) != 1) {
    return unusable("roots_path", tls.roots_path);
  }
  if (SSL_CTX_use_certificate_chain_file(context.get(), tls.certificate_path.c_str()) != 1) {
    return unusable("certificate_path", tls.certificate_path);
  }
  if (SSL_CTX_use_PrivateKey_file(context.get(), tls.key_path.c_str(), SSL_FILETYPE_PEM) != 1) {
    return unusable("key_path", tls.key_path);
  }
  if (!expect_host(context.get(), host)) return unusable("host", host);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  SSL_CTX_set_cert_verify_callback(context.get(), verify, &verdict);
  const auto at = std::max(now, tls.earliest ? tls.earliest() : now);
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(at.time_since_epoch());
  X509_VERIFY_PARAM_set_time(SSL_CTX_get0_param(context.get()),
                             static_cast<time_t>(seconds.count()));
  return context;
}

}  // namespace ecp::inline v0::transport
