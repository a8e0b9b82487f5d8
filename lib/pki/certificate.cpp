// SPDX-License-Identifier: Apache-2.0
#include <ecp/pki/certificate.hpp>

#include <algorithm>
#include <array>

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/x509v3.h>

#include <ecp/pki/reasons.hpp>

#include "pki/openssl.hpp"

namespace ecp::inline v0::pki {

namespace {

Result<Sha256> digest_of(X509* certificate) {
  std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
  unsigned size = 0;
  if (X509_digest(certificate, EVP_sha256(), digest.data(), &size) != 1) {
    return openssl::failed("X509_digest");
  }
  Sha256 result{};
  std::copy_n(digest.begin(), result.size(), result.begin());
  return result;
}

std::string common_name_of(X509* certificate) {
  const X509_NAME* subject = X509_get_subject_name(certificate);
  const int position = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);
  if (position < 0) return {};
  unsigned char* text = nullptr;
  const int size =
      ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, position)));
  if (size < 0) return {};
  std::string name(text, text + size);
  OPENSSL_free(text);
  return name;
}

std::string serial_of(X509* certificate) {
  BIGNUM* number = ASN1_INTEGER_to_BN(X509_get0_serialNumber(certificate), nullptr);
  if (number == nullptr) return {};
  char* hex = BN_bn2hex(number);
  BN_free(number);
  std::string text = hex == nullptr ? "" : hex;
  OPENSSL_free(hex);
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'A' && c <= 'F' ? static_cast<char>(c + 32) : c; });
  text.erase(0, std::min(text.find_first_not_of('0'), text.size()));
  return text;
}

Result<Time> time_of(const ASN1_TIME* time) {
  int days = 0;
  int seconds = 0;
  struct EpochDeleter {
    void operator()(ASN1_TIME* owned) const noexcept { ASN1_TIME_free(owned); }
  };
  const std::unique_ptr<ASN1_TIME, EpochDeleter> epoch(ASN1_TIME_set(nullptr, 0));
  if (!epoch || ASN1_TIME_diff(&days, &seconds, epoch.get(), time) != 1) {
    return openssl::failed("ASN1_TIME_diff");
  }
  return Time(std::chrono::hours(24) * std::int64_t{days} + std::chrono::seconds(seconds));
}

std::string text_of(const GENERAL_NAME* name) {
  if (name->type == GEN_DNS) {
    const auto* text = name->d.dNSName;
    const auto* data = ASN1_STRING_get0_data(text);
    return {data, data + ASN1_STRING_length(text)};
  }
  if (name->type != GEN_IPADD) return {};
  const int size = ASN1_STRING_length(name->d.iPAddress);
  if (size != 4 && size != 16) return {};
  std::array<char, INET6_ADDRSTRLEN> text{};
  inet_ntop(size == 4 ? AF_INET : AF_INET6, ASN1_STRING_get0_data(name->d.iPAddress), text.data(),
            text.size());
  return text.data();
}

std::vector<std::string> names_of(X509* certificate) {
  std::vector<std::string> names;
  auto* all = static_cast<GENERAL_NAMES*>(
      X509_get_ext_d2i(certificate, NID_subject_alt_name, nullptr, nullptr));
  for (int i = 0; i < sk_GENERAL_NAME_num(all); ++i) {
    auto text = text_of(sk_GENERAL_NAME_value(all, i));
    if (!text.empty()) names.push_back(std::move(text));
  }
  GENERAL_NAMES_free(all);
  return names;
}

using StoreContext = std::unique_ptr<X509_STORE_CTX, openssl::Deleter<X509_STORE_CTX_free>>;
using TrustStore = std::unique_ptr<X509_STORE, openssl::Deleter<X509_STORE_free>>;

struct StackDeleter {
  void operator()(STACK_OF(X509) * stack) const noexcept { sk_X509_free(stack); }
};
using Stack = std::unique_ptr<STACK_OF(X509), StackDeleter>;

Error untrusted(std::string problem) {
  ERR_clear_error();
  return {reasons::untrusted, {{"problem", std::move(problem)}}};
}

Result<void> set_host(X509_VERIFY_PARAM* parameters, std::string_view host) {
  if (host.empty()) return {};
  const std::string text(host);
  if (X509_VERIFY_PARAM_set1_ip_asc(parameters, text.c_str()) == 1) return {};
  ERR_clear_error();
  X509_VERIFY_PARAM_set_hostflags(
      parameters, X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  if (X509_VERIFY_PARAM_set1_host(parameters, text.data(), text.size()) != 1) {
    return openssl::failed("X509_VERIFY_PARAM_set1_host");
  }
  return {};
}

Result<TrustStore> open_trust(const std::vector<openssl::Certificate>& roots) {
  TrustStore store(X509_STORE_new());
  if (!store) return openssl::failed("X509_STORE_new");
  for (const auto& root : roots) {
    if (X509_STORE_add_cert(store.get(), root.get()) != 1) {
      return openssl::failed("X509_STORE_add_cert");
    }
  }
  return store;
}

}  // namespace

Result<CertificateFacts> certificate_facts(std::string_view pem) {
  ECP_TRY(const auto certificates, openssl::read_certificates(pem));
  X509* certificate = certificates.front().get();
  CertificateFacts facts;
  facts.common_name = common_name_of(certificate);
  facts.serial = serial_of(certificate);
  ECP_TRY(facts.not_before, time_of(X509_get0_notBefore(certificate)));
  ECP_TRY(facts.not_after, time_of(X509_get0_notAfter(certificate)));
  ECP_TRY(facts.digest, digest_of(certificate));
  ECP_TRY(facts.public_key, openssl::digest_of(X509_get0_pubkey(certificate)));
  facts.names = names_of(certificate);
  facts.is_authority = X509_check_ca(certificate) == 1;
  return facts;
}

Result<Sha256> last_certificate_digest(std::string_view pem) {
  ECP_TRY(const auto certificates, openssl::read_certificates(pem));
  return digest_of(certificates.back().get());
}

Result<std::size_t> count_certificates(std::string_view pem) {
  ECP_TRY(const auto certificates, openssl::read_certificates(pem));
  return certificates.size();
}

Result<void> verify_chain(const ChainQuestion& question) {
  ECP_TRY(const auto leaves, openssl::read_certificates(question.leaf_pem));
  ECP_TRY(const auto roots, openssl::read_certificates(question.roots_pem));
  std::vector<openssl::Certificate> others;
  if (!question.intermediates_pem.empty()) {
    ECP_TRY(others, openssl::read_certificates(question.intermediates_pem));
  }
  ECP_TRY(const auto trust, open_trust(roots));
  const Stack chain(sk_X509_new_null());
  const StoreContext context(X509_STORE_CTX_new());
  if (!chain || !context) return openssl::failed("X509_STORE_CTX_new");
  for (std::size_t i = 1; i < leaves.size(); ++i) sk_X509_push(chain.get(), leaves[i].get());
  for (const auto& other : others) sk_X509_push(chain.get(), other.get());
  if (X509_STORE_CTX_init(context.get(), trust.get(), leaves.front().get(), chain.get()) != 1) {
    return openssl::failed("X509_STORE_CTX_init");
  }
  const bool is_server = question.usage == Usage::server;
  X509_STORE_CTX_set_default(context.get(), is_server ? "ssl_server" : "ssl_client");
  auto* parameters = X509_STORE_CTX_get0_param(context.get());
  X509_VERIFY_PARAM_set_time(parameters, static_cast<std::time_t>(to_ms(question.at) / 1'000));
  X509_VERIFY_PARAM_set_flags(parameters, X509_V_FLAG_X509_STRICT);
  ECP_TRY_VOID(set_host(parameters, question.host));
  if (X509_verify_cert(context.get()) != 1) {
    return untrusted(X509_verify_cert_error_string(X509_STORE_CTX_get_error(context.get())));
  }
  return {};
}

}  // namespace ecp::inline v0::pki
