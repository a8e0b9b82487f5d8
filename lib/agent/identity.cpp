// SPDX-License-Identifier: Apache-2.0
#include "agent/identity.hpp"

#include <unistd.h>

#include <algorithm>

#include <ecp/agent/reasons.hpp>
#include <ecp/core/file.hpp>
#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::agent {
namespace {

constexpr std::size_t identity_file = 64 * kibibyte;
constexpr std::size_t time_file = 64;
constexpr std::string_view key_begin = "-----BEGIN PRIVATE KEY-----";
constexpr Time build_time{std::chrono::seconds{ECP_BUILD_TIME}};

Error damaged(const std::string& path, std::string_view problem) {
  return {reasons::bad_identity, {{"path", path}, {"problem", std::string(problem)}}};
}

Error unusable(std::string_view problem) {
  return {reasons::bad_server_answer, {{"problem", std::string(problem)}}};
}

/// An absent file of an enrolled folder is damage; other failures speak for themselves.
Error file_error(const std::string& path, Error error) {
  return error.is(ecp::reasons::not_found) ? damaged(path, "is missing") : std::move(error);
}

Result<void> keep_identity(const AgentFiles& files, std::string_view chain_pem,
                           const Secret& key_pem) {
  std::string text;
  text.reserve(chain_pem.size() + key_pem.view().size() + 1);
  text.append(chain_pem).append(chain_pem.ends_with('\n') ? "" : "\n").append(key_pem.view());
  auto kept = write_file_durably(files.identity(), text);
  std::fill(text.begin(), text.end(), '\0');
  return kept;
}

/// Answer of enroll and renew.
struct CertificateAnswer {
  link::AgentId agent;
  std::string chain_pem;
  link::LinkDocument link;
};

Result<CertificateAnswer> read_answer(std::string_view text) {
  ECP_TRY(auto parsed, json::ObjectDocument::parse(text, limits::http_response_read));
  auto& reader = parsed.reader();
  CertificateAnswer answer;
  ECP_TRY(answer.agent, reader.id<link::AgentId>("agent"));
  ECP_TRY(answer.chain_pem, reader.raw_text("certificate_chain_pem", identity_file / 2));
  ECP_TRY(const auto link, reader.value("link"));
  ECP_TRY(answer.link, link::parse_link_document(link.to_text()));
  return answer;
}

/// The certificate must be for our key, name the agent and end in a root that we are told to trust.
Result<void> check_answer(const CertificateAnswer& answer, const Secret& key_pem,
                          const link::AgentId* expected) {
  ECP_TRY(const auto facts, pki::certificate_facts(answer.chain_pem));
  ECP_TRY(const auto key, pki::public_key_digest(key_pem));
  if (facts.public_key != key) return unusable("the certificate is for another key");
  if (facts.common_name != answer.agent.to_string() || answer.link.agent != answer.agent) {
    return unusable("certificate and link document are not for one agent");
  }
  if (expected != nullptr && *expected != answer.agent) {
    return unusable("it is for " + answer.agent.to_string() + ", not for this agent");
  }
  const auto at = trusted_time(answer.link.server_time, facts.not_before, answer.link.server_time);
  return pki::verify_chain(
      {answer.chain_pem, {}, answer.link.trust_roots_pem, at, pki::Usage::client, {}});
}

/// From the link document, or what was noted since.
Time last_server_time(const AgentFiles& files) {
  const auto known = load_link_document(files);
  const auto text = read_file(files.server_time(), time_file);
  const auto noted =
      text ? parse_rfc3339(text->substr(0, text->find('\n'))) : Result<Time>(text.error());
  return std::max(known ? known->server_time : Time{}, noted ? *noted : Time{});
}

}  // namespace

Time trusted_time(Time system, Time own_not_before, Time last_server) {
  return std::max({system, build_time, own_not_before, last_server});
}

Time earliest_time(const AgentFiles& files) {
  const auto identity = load_identity(files);
  return trusted_time(Time{}, identity ? identity->facts.not_before : Time{},
                      last_server_time(files));
}

bool has_identity(const AgentFiles& files) { return ::access(files.identity().c_str(), F_OK) == 0; }

Result<Identity> load_identity(const AgentFiles& files) {
  if (!has_identity(files)) return Error(reasons::not_enrolled, {{"folder", files.folder}});
  const auto path = files.identity();
  const auto text = read_secret_file(path, identity_file);
  if (!text) return text.error();
  const auto all = text->view();
  const auto split = all.find(key_begin);
  if (split == std::string_view::npos) return damaged(path, "holds no private key");
  Identity identity;
  identity.chain_pem = all.substr(0, split);
  identity.key_pem = Secret(all.substr(split));
  auto facts = pki::certificate_facts(identity.chain_pem);
  if (!facts) return damaged(path, "holds no certificate");
  identity.facts = std::move(*facts);
  const auto agent = link::AgentId::parse(identity.facts.common_name);
  if (!agent) return damaged(path, "is not an agent's");
  identity.agent = *agent;
  const auto key = pki::public_key_digest(identity.key_pem);
  if (!key || *key != identity.facts.public_key) {
    return damaged(path, "holds a key that is not the certificate's");
  }
  return identity;
}

Result<link::LinkDocument> load_link_document(const AgentFiles& files) {
  if (!has_identity(files)) return Error(reasons::not_enrolled, {{"folder", files.folder}});
  const auto text = read_file(files.link(), limits::link_document);
  if (!text) return file_error(files.link(), text.error());
  auto document = link::parse_link_document(*text);
  if (!document) {
    return damaged(files.link(), "is not a link document (" + document.error().message() + ")");
  }
  return document;
}

Result<Secret> keep_new_key(const AgentFiles& files) {
  auto kept = read_secret_file(files.new_key(), identity_file);
  if (kept && pki::public_key_digest(*kept)) return kept;
  if (!kept && !kept.error().is(ecp::reasons::not_found)) return kept;
  ECP_TRY(auto fresh, pki::make_p256_key());
  ECP_TRY_VOID(write_file_durably(files.new_key(), fresh.view()));
  return fresh;
}

Result<void> keep_link_document(const AgentFiles& files, const link::LinkDocument& document) {
  const auto roots = pki::count_certificates(document.trust_roots_pem);
  if (!roots || *roots == 0) return unusable("it names no trust root");
  if (document.brokers.empty()) return unusable("it names no broker");
  ECP_TRY_VOID(write_file_durably(files.roots(), document.trust_roots_pem));
  return write_file_durably(files.link(), link::to_json(document));
}

Result<void> note_server_time(const AgentFiles& files, Time server_time) {
  if (server_time < last_server_time(files) + std::chrono::hours(1)) return {};
  return write_file_durably(files.server_time(), to_rfc3339(server_time) + "\n");
}

Result<link::LinkDocument> accept_certificate(const AgentFiles& files, std::string_view answer,
                                              const Secret& key_pem,
                                              const link::AgentId* expected) {
  auto read = read_answer(answer);
  if (!read) return unusable(read.error().message());
  if (auto good = check_answer(*read, key_pem, expected); !good) {
    if (good.error().is(reasons::bad_server_answer)) return std::move(good).error();
    return unusable(good.error().message());
  }
  ECP_TRY_VOID(keep_link_document(files, read->link));
  ECP_TRY_VOID(keep_identity(files, read->chain_pem, key_pem));
  ::unlink(files.new_key().c_str());  // One that stays is seen and replaced at the next renewal.
  return std::move(read->link);
}

Result<bool> needs_renewal(const AgentFiles& files, Time now) {
  ECP_TRY(const auto identity, load_identity(files));
  const auto& facts = identity.facts;
  return now >= facts.not_before + (facts.not_after - facts.not_before) * 2 / 3;
}

}  // namespace ecp::inline v0::agent
