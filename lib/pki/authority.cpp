// SPDX-License-Identifier: Apache-2.0
#include <ecp/pki/authority.hpp>

#include <algorithm>

#include <arpa/inet.h>
#include <openssl/bn.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>

#include <ecp/pki/reasons.hpp>

#include "pki/openssl.hpp"

namespace ecp::inline v0::pki {

namespace {

constexpr std::size_t serial_size = 16;
constexpr std::size_t max_server_names = 64;
constexpr std::chrono::hours back_dating{24};
constexpr std::string_view replica_prefix = "ecpd-";

/// One extension as OpenSSL's configuration text; every variable part is checked before.
struct Extension {
  int nid;
  std::string text;
};

/// What goes into a new certificate.
struct Blank {
  std::string organization;
  std::string common_name;  ///< Both empty: empty subject.
  EVP_PKEY* key = nullptr;
  Time not_before;
  Time not_after;
  std::string serial;  ///< 16 octets.
  std::vector<Extension> extensions;
};

struct Issuer {
  openssl::Key key;
  openssl::Certificate certificate;
  std::string pem;
};

Result<void> add_text(X509_NAME* name, int nid, const std::string& text) {
  if (text.empty()) return {};
  if (X509_NAME_add_entry_by_NID(name, nid, MBSTRING_UTF8,
                                 reinterpret_cast<const unsigned char*>(text.data()),
                                 static_cast<int>(text.size()), -1, 0) != 1) {
    return openssl::failed("X509_NAME_add_entry_by_NID");
  }
  return {};
}

Result<void> set_serial(X509* certificate, const std::string& octets) {
  BIGNUM* number = BN_bin2bn(reinterpret_cast<const unsigned char*>(octets.data()),
                             static_cast<int>(octets.size()), nullptr);
  const bool done = number != nullptr &&
                    BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate)) != nullptr;
  BN_free(number);
  if (!done) return openssl::failed("BN_to_ASN1_INTEGER");
  return {};
}

Result<void> add_extensions(X509* certificate, X509* issuer,
                            const std::vector<Extension>& extensions) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  X509V3_set_ctx_nodb(&context);
  for (const auto& wanted : extensions) {
    X509_EXTENSION* extension =
        X509V3_EXT_conf_nid(nullptr, &context, wanted.nid, wanted.text.c_str());
    const bool done = extension != nullptr && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    if (!done) return openssl::failed("X509V3_EXT_conf_nid");
  }
  return {};
}

Result<openssl::Certificate> sign(const Blank& blank, X509* issuer, EVP_PKEY* issuer_key) {
  openssl::Certificate made(X509_new());
  if (!made || X509_set_version(made.get(), X509_VERSION_3) != 1) {
    return openssl::failed("X509_new");
  }
  X509* const signer = issuer == nullptr ? made.get() : issuer;
  X509_NAME* subject = X509_get_subject_name(made.get());
  ECP_TRY_VOID(add_text(subject, NID_organizationName, blank.organization));
  ECP_TRY_VOID(add_text(subject, NID_commonName, blank.common_name));
  ECP_TRY_VOID(set_serial(made.get(), blank.serial));
  const auto from = static_cast<std::time_t>(to_ms(blank.not_before) / 1'000);
  const auto to = static_cast<std::time_t>(to_ms(blank.not_after) / 1'000);
  if (X509_set_issuer_name(made.get(), X509_get_subject_name(signer)) != 1 ||
      ASN1_TIME_set(X509_getm_notBefore(made.get()), from) == nullptr ||
      ASN1_TIME_set(X509_getm_notAfter(made.get()), to) == nullptr ||
      X509_set_pubkey(made.get(), blank.key) != 1) {
    return openssl::failed("X509_set_pubkey");
  }
  ECP_TRY_VOID(add_extensions(made.get(), signer, blank.extensions));
  if (X509_sign(made.get(), issuer_key, EVP_sha256()) <= 0) return openssl::failed("X509_sign");
  return made;
}

std::vector<Extension> authority_extensions(int path_length, const std::string& usage) {
  std::vector<Extension> extensions{
      {NID_basic_constraints, "critical,CA:TRUE,pathlen:" + std::to_string(path_length)},
      {NID_key_usage, "critical,keyCertSign,cRLSign"},
      {NID_subject_key_identifier, "hash"},
      {NID_authority_key_identifier, "keyid:always"}};
  if (!usage.empty()) extensions.push_back({NID_ext_key_usage, usage});
  return extensions;
}

std::vector<Extension> leaf_extensions(const std::string& usage) {
  return {{NID_basic_constraints, "critical,CA:FALSE"},
          {NID_key_usage, "critical,digitalSignature"},
          {NID_ext_key_usage, usage},
          {NID_subject_key_identifier, "hash"},
          {NID_authority_key_identifier, "keyid:always"}};
}

bool is_name(std::string_view text) {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
}

bool is_address(const std::string& text) {
  unsigned char octets[16];
  return inet_pton(AF_INET, text.c_str(), octets) == 1 ||
         inet_pton(AF_INET6, text.c_str(), octets) == 1;
}

bool is_dns_name(std::string_view text) {
  if (text.substr(0, 2) == "*.") text.remove_prefix(2);
  return !text.empty() && text.size() <= 253 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '.';
  });
}

Error bad_name(std::string_view name) {
  return {reasons::bad_name, {{"name", "\"" + std::string(name.substr(0, 80)) + "\""}}};
}

Result<std::string> subject_alternatives(const std::vector<std::string>& names) {
  if (names.empty() || names.size() > max_server_names) return bad_name("an empty list");
  std::string text = "critical";
  for (const auto& name : names) {
    if (!is_address(name) && !is_dns_name(name)) return bad_name(name);
    text += is_address(name) ? ",IP:" : ",DNS:";
    text += name;
  }
  return text;
}

Result<Issuer> read_issuer(BIO* bio) {
  Issuer issuer;
  issuer.certificate.reset(PEM_read_bio_X509(bio, nullptr, nullptr, nullptr));
  issuer.key.reset(PEM_read_bio_PrivateKey(bio, nullptr, nullptr, nullptr));
  ERR_clear_error();
  if (!issuer.certificate || !issuer.key ||
      X509_check_private_key(issuer.certificate.get(), issuer.key.get()) != 1) {
    ERR_clear_error();
    return Error(reasons::bad_key, {{"what", "certificate authority"}});
  }
  ECP_TRY(issuer.pem, openssl::write_certificate(issuer.certificate.get()));
  return issuer;
}

}  // namespace

struct Authority::State {
  explicit State(Env world) : env(world) {}

  [[nodiscard]] Blank blank(EVP_PKEY* key, Milliseconds life) const {
    Blank made;
    made.key = key;
    made.not_before = env.clock.now() - back_dating;
    made.not_after = env.clock.now() + life;
    made.serial = env.random.bytes(serial_size);
    return made;
  }
  Result<Issuer> make_issuer(const std::string& organization, const std::string& name,
                             std::vector<Extension> extensions, const Issuer* parent) const;
  Result<IssuedCertificate> issue(const Blank& blank, const Issuer& issuer) const;

  Env env;
  Issuer root;
  Issuer agents;
  Issuer servers;
};

Result<Issuer> Authority::State::make_issuer(const std::string& organization,
                                             const std::string& name,
                                             std::vector<Extension> extensions,
                                             const Issuer* parent) const {
  Issuer issuer;
  ECP_TRY(issuer.key, openssl::make_p256());
  Blank wanted = blank(issuer.key.get(), root_life);
  wanted.organization = organization;
  wanted.common_name = name;
  wanted.extensions = std::move(extensions);
  ECP_TRY(issuer.certificate, parent == nullptr
                                  ? sign(wanted, nullptr, issuer.key.get())
                                  : sign(wanted, parent->certificate.get(), parent->key.get()));
  ECP_TRY(issuer.pem, openssl::write_certificate(issuer.certificate.get()));
  return issuer;
}

Result<IssuedCertificate> Authority::State::issue(const Blank& wanted, const Issuer& issuer) const {
  ECP_TRY(const auto certificate, sign(wanted, issuer.certificate.get(), issuer.key.get()));
  ECP_TRY(const auto pem, openssl::write_certificate(certificate.get()));
  IssuedCertificate issued;
  ECP_TRY(issued.facts, certificate_facts(pem));
  issued.chain_pem = pem + issuer.pem;
  return issued;
}

Authority::Authority(std::unique_ptr<State> state) : state_(std::move(state)) {}
Authority::~Authority() = default;
Authority::Authority(Authority&&) noexcept = default;
Authority& Authority::operator=(Authority&&) noexcept = default;

Result<Authority> Authority::create(std::string_view organization, Env env) {
  if (organization.size() > 64 || !is_clean_utf8(organization)) return bad_name(organization);
  const std::string owner(organization);
  auto state = std::make_unique<State>(env);
  ECP_TRY(state->root, state->make_issuer(owner, "ECP root", authority_extensions(1, ""), nullptr));
  ECP_TRY(state->agents, state->make_issuer(owner, "ECP agents",
                                            authority_extensions(0, "clientAuth"), &state->root));
  ECP_TRY(state->servers,
          state->make_issuer(owner, "ECP servers", authority_extensions(0, "serverAuth,clientAuth"),
                             &state->root));
  return Authority(std::move(state));
}

Result<Authority> Authority::from_secret(const Secret& text, Env env) {
  const auto pem = text.view();
  const openssl::Bio bio(BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  if (!bio) return openssl::failed("BIO_new_mem_buf");
  auto state = std::make_unique<State>(env);
  ECP_TRY(state->root, read_issuer(bio.get()));
  ECP_TRY(state->agents, read_issuer(bio.get()));
  ECP_TRY(state->servers, read_issuer(bio.get()));
  return Authority(std::move(state));
}

Secret Authority::to_secret() const {
  const openssl::Bio bio(BIO_new(BIO_s_secmem()));
  for (const auto* issuer : {&state_->root, &state_->agents, &state_->servers}) {
    PEM_write_bio_X509(bio.get(), issuer->certificate.get());
    PEM_write_bio_PKCS8PrivateKey(bio.get(), issuer->key.get(), nullptr, nullptr, 0, nullptr,
                                  nullptr);
  }
  char* data = nullptr;
  const long size = BIO_get_mem_data(bio.get(), &data);
  return Secret(std::string_view(data, static_cast<std::size_t>(size)));
}

const std::string& Authority::root_pem() const noexcept { return state_->root.pem; }
const std::string& Authority::agent_ca_pem() const noexcept { return state_->agents.pem; }
const std::string& Authority::server_ca_pem() const noexcept { return state_->servers.pem; }

Result<IssuedCertificate> Authority::issue_agent(std::string_view csr_pem,
                                                 std::string_view common_name,
                                                 Milliseconds life) const {
  return issue_agent_recorded(csr_pem, common_name, life,
                              [](const std::string&, Time) { return Result<void>(); });
}

Result<IssuedCertificate> Authority::issue_agent_recorded(
    std::string_view csr_pem, std::string_view common_name, Milliseconds life,
    const std::function<Result<void>(const std::string& serial, Time not_after)>& record) const {
  if (!is_name(common_name) || common_name.substr(0, replica_prefix.size()) == replica_prefix) {
    return bad_name(common_name);
  }
  ECP_TRY_VOID(check_csr(csr_pem));
  ECP_TRY(const auto request, openssl::read_request(csr_pem));
  Blank wanted = state_->blank(X509_REQ_get0_pubkey(request.get()), life);
  wanted.common_name = common_name;
  wanted.extensions = leaf_extensions("clientAuth");
  std::string serial = to_hex(wanted.serial);
  serial.erase(0, std::min(serial.find_first_not_of('0'), serial.size()));
  ECP_TRY_VOID(record(serial, wanted.not_after));
  return state_->issue(wanted, state_->agents);
}

Result<IssuedCertificate> Authority::issue_server(const Secret& key_pem,
                                                  const std::vector<std::string>& names,
                                                  Milliseconds life) const {
  ECP_TRY(auto alternatives, subject_alternatives(names));
  ECP_TRY(const auto key, openssl::read_key(key_pem));
  Blank wanted = state_->blank(key.get(), life);
  wanted.extensions = leaf_extensions("serverAuth");
  wanted.extensions.push_back({NID_subject_alt_name, std::move(alternatives)});
  return state_->issue(wanted, state_->servers);
}

Result<IssuedCertificate> Authority::issue_replica(const Secret& key_pem, std::string_view replica,
                                                   Milliseconds life) const {
  std::string name = std::string(replica_prefix) + std::string(replica);
  if (replica.empty() || !is_name(name)) return bad_name(replica);
  ECP_TRY(const auto key, openssl::read_key(key_pem));
  Blank wanted = state_->blank(key.get(), life);
  wanted.common_name = std::move(name);
  wanted.extensions = leaf_extensions("clientAuth");
  return state_->issue(wanted, state_->servers);
}

}  // namespace ecp::inline v0::pki
