// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/enrollment.hpp>

#include <algorithm>

#include <ecp/core/json.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/enrollment_token.hpp>
#include <ecp/fleet/operations.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/fleet/reasons.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/pki/signature.hpp>

#include "core/crash_point.hpp"
#include "fleet/enrollment_throttle.hpp"

namespace ecp::inline v0::fleet {
namespace {

constexpr Milliseconds reconnect_share{6};  // Of one edge node.
constexpr Milliseconds shortest_reconnect_cap{4'000};
constexpr Milliseconds longest_reconnect_cap{60'000};
constexpr std::size_t nonce_random = 16;
constexpr std::size_t nonce_head = 8 + nonce_random;  // Time, then random octets.
constexpr std::string_view nonce_context = "ecp-nonce-v1";
constexpr Milliseconds nonce_life{300'000};

/// What a unit committed: an answer, or a refusal together with what it left behind.
struct Outcome {
  EnrollmentAnswer answer;
  std::optional<Error> refusal;
};

/// A machine that wants to be an edge node.
struct Candidate {
  std::string name;
  std::string key_sha256;
  access::Origin origin;
  std::function<bool()> may_record;  ///< Whether a refusal may have an audit entry of its own.
};

audit::Circumstance circumstance_of(EdgeNodeId node, const access::Scope& scope,
                                    const access::Origin& origin) {
  return {{access::PrincipalKind::agent, node.bytes(), "certificate"}, scope, origin};
}

audit::Circumstance by_token(const std::optional<EnrollmentToken>& token,
                             const access::Origin& origin) {
  const auto scope =
      token ? access::Scope{token->organization, token->project} : access::Scope::platform();
  return {{access::PrincipalKind::agent, {}, "enrollment_token"}, scope, origin};
}

Error renewal_refused(std::string_view problem) {
  return {reasons::renewal_refused, {{"problem", std::string(problem)}}};
}

std::string pem_of(std::string_view der) {
  const auto text = to_base64(der);
  std::string pem = "-----BEGIN CERTIFICATE-----\n";
  for (std::size_t at = 0; at < text.size(); at += 64) pem += text.substr(at, 64) + "\n";
  return pem + "-----END CERTIFICATE-----\n";
}

EdgeNode make_node(const EnrollmentToken& token, std::string_view name, Env env) {
  EdgeNode node;
  node.id = env.ids.next<EdgeNodeId>();
  node.organization = token.organization;
  node.project = token.project;
  node.name = name;
  node.created_at = env.clock.now();
  node.status.changed_at = node.created_at;
  return node;
}

/// The node that this token and key mean: the same as before, or a new one.
Result<EdgeNodeId> claim(storage::Transaction& transaction, const EnrollmentToken& token,
                         const Candidate& candidate, Env env) {
  auto& tokens = transaction.get<EnrollmentTokenStore>();
  auto& nodes = transaction.get<EdgeNodeStore>();
  ECP_TRY(const auto before, tokens.find_use(token.id, candidate.key_sha256));
  if (before) {
    ECP_TRY(const auto node, nodes.find(*before));
    if (!node || node->revoked) return reasons::agent_refused;
    return *before;
  }
  if (token.used >= token.uses) return reasons::token_used;
  ECP_TRY(const auto count, nodes.count());
  if (count >= static_cast<std::int64_t>(limits::edge_nodes)) {
    return Error(ecp::reasons::over_limit, {{"what", "the number of edge nodes"},
                                            {"limit", std::to_string(limits::edge_nodes)}});
  }
  const auto node = make_node(token, candidate.name, env);
  // First, since its refusal is committed.
  ECP_TRY_VOID(tokens.add_use(token.id, candidate.key_sha256, node.id));
  ECP_TRY_VOID(nodes.insert(node));
  return node.id;
}

Result<Outcome> refuse(storage::Transaction& transaction, const Env& env,
                       const Candidate& candidate, const std::optional<EnrollmentToken>& token,
                       Error why) {
  if (!candidate.may_record()) return Outcome{{}, std::move(why)};
  ECP_TRY_VOID(audit::append_unauthenticated(
      transaction, env, by_token(token, candidate.origin), operations::edge_node_enroll,
      audit::Outcome::denied,
      {"enrollment_token", token ? token->id.to_string() : "", candidate.name},
      {{"reason", std::string(why.reason->symbol)}, {"key_sha256", candidate.key_sha256}}));
  return Outcome{{}, std::move(why)};
}

/// Whether a certificate still opens anything: recorded, of a node that is neither revoked nor
/// removed, and not superseded by a newer one in use.
Result<bool> is_good(storage::Transaction& transaction, const std::optional<EdgeNode>& node,
                     std::string_view serial) {
  if (!node || node->revoked) return false;
  auto& certificates = transaction.get<AgentCertificateStore>();
  ECP_TRY(const auto known, certificates.find(serial));
  if (!known || known->node != node->id) return false;
  ECP_TRY(const bool superseded, certificates.is_superseded(*known));
  return !superseded;
}

/// Check that the old certificate is one of ours and that whoever asks has its key.
Result<pki::CertificateFacts> prove(const RenewalRequest& request, const pki::Authority& authority,
                                    Milliseconds grace, Time now) {
  ECP_TRY(const auto new_key, pki::check_csr(request.csr_pem));
  ECP_TRY(auto facts, pki::certificate_facts(request.certificate_pem));
  if (now > facts.not_after + grace) {
    constexpr Milliseconds day{24LL * 3'600'000};
    return renewal_refused("the certificate expired more than " + std::to_string(grace / day) +
                           " days ago: raise agents.renewal_after_expiry, or enroll anew");
  }
  // An overdue certificate is judged as of its last moment: it must have been good once.
  const auto moment = std::min(now, facts.not_after - Milliseconds(1'000));
  ECP_TRY_VOID(pki::verify_chain({request.certificate_pem,
                                  authority.agent_ca_pem(),
                                  authority.root_pem(),
                                  moment,
                                  pki::Usage::client,
                                  {}}));
  ECP_TRY_VOID(pki::verify_with_certificate(
      request.certificate_pem,
      std::string(renewal_signature_context) + request.nonce + request.csr_pem, request.signature));
  if (facts.public_key == new_key) return renewal_refused("the new key is the old one");
  return facts;
}

}  // namespace

std::string to_json(const EnrollmentAnswer& answer) {
  json::Writer writer;
  writer.begin_object()
      .field("agent", answer.agent.to_string())
      .field("certificate_chain_pem", answer.certificate_chain_pem)
      .key("link")
      .raw(link::to_json(answer.link))
      .field("root_pem", answer.root_pem)
      .end_object();
  return writer.take();
}

Enrollment::Enrollment(const Parts& parts, EnrollmentOptions options, Env env)
    : store_(parts.store),
      authority_(parts.authority),
      key_(parts.key),
      trust_(parts.trust),
      options_(std::move(options)),
      env_(env),
      throttle_(std::make_unique<EnrollmentThrottle>()) {}
Enrollment::~Enrollment() = default;

Result<EnrollmentAnswer> Enrollment::enroll(std::string_view token, std::string_view csr_pem,
                                            std::string_view name, const access::Origin& origin) {
  ECP_TRY_VOID(throttle_->admit(origin, env_.clock.now()));
  ECP_TRY_VOID(check_name("name", name));
  ECP_TRY(const auto key, pki::check_csr(csr_pem));
  const Candidate candidate{std::string(name), to_hex(key), origin, recorder()};
  const auto hash = enrollment_token_hash(token);
  const auto unit = [&](storage::Transaction& transaction) -> Result<Outcome> {
    std::optional<EnrollmentToken> found;
    if (hash) {
      ECP_TRY(found, transaction.get<EnrollmentTokenStore>().find(*hash));
    }
    if (!found || found->expires_at <= env_.clock.now()) {
      return refuse(transaction, env_, candidate, found, reasons::token_refused);
    }
    auto node = claim(transaction, *found, candidate, env_);
    if (!node) {
      const bool is_refusal =
          node.error().is(reasons::token_used) || node.error().is(reasons::agent_refused);
      if (!is_refusal) return std::move(node).error();
      if (node.error().is(reasons::token_used)) {
        ECP_TRY_VOID(trust_.token_used_again(transaction, *found));
      }
      return refuse(transaction, env_, candidate, found, std::move(node).error());
    }
    ECP_TRY(auto answer, issue(transaction, *node, csr_pem));
    ECP_TRY_VOID(audit::append_unauthenticated(
        transaction, env_, by_token(*found, origin), operations::edge_node_enroll,
        audit::Outcome::done, {"edge_node", node->to_string(), candidate.name},
        {{"enrollment_token", found->id.to_string()}, {"key_sha256", candidate.key_sha256}}));
    return Outcome{std::move(answer), std::nullopt};
  };
  ECP_TRY(auto outcome, store_.write(unit));
  crash_at("enrollment.after_commit");
  if (!outcome.refusal) return std::move(outcome.answer);
  throttle_->count(origin, env_.clock.now());
  return std::move(*outcome.refusal);
}

/// Asks the throttle once, however often a unit has to run.
std::function<bool()> Enrollment::recorder() const {
  return [this, answer = std::optional<bool>()]() mutable {
    if (!answer) answer = throttle_->record(env_.clock.now());
    return *answer;
  };
}

Result<void> Enrollment::record_refusals() {
  const auto count = throttle_->take_unrecorded();
  if (count == 0) return {};
  return store_.write([&](storage::Transaction& transaction) {
    return audit::append_unauthenticated(
        transaction, env_, by_token({}, {}), operations::edge_node_enroll, audit::Outcome::denied,
        {"enrollment_token", "", ""}, {{"more_refusals", std::to_string(count)}});
  });
}

Result<EnrollmentAnswer> Enrollment::issue(storage::Transaction& transaction, EdgeNodeId node,
                                           std::string_view csr_pem) {
  ECP_TRY(const auto key, pki::check_csr(csr_pem));
  const auto record = [&](const std::string& serial, Time not_after) -> Result<void> {
    AgentCertificate certificate;
    certificate.serial = serial;
    certificate.node = node;
    certificate.key_sha256 = to_hex(key);
    certificate.issued_at = env_.clock.now();
    certificate.not_after = not_after;
    return transaction.get<AgentCertificateStore>().insert(certificate);
  };
  ECP_TRY(auto issued, authority_.issue_agent_recorded(csr_pem, node.to_string(),
                                                       options_.certificate_life, record));
  EnrollmentAnswer answer;
  answer.agent = node;
  answer.certificate_chain_pem = std::move(issued.chain_pem);
  answer.root_pem = authority_.root_pem();
  ECP_TRY(answer.link, document_of(transaction, node));
  return answer;
}

/// The bound is in proportion to the fleet, so that the broker never has more than some 170 agents
/// a second to greet: a hundred agents are back within seconds, ten thousand within a minute.
Result<link::LinkDocument> Enrollment::document_of(storage::Transaction& transaction,
                                                   EdgeNodeId agent) const {
  auto document = options_.link();
  if (document.reconnect_cap.count() == 0) {
    ECP_TRY(const auto nodes, transaction.get<EdgeNodeStore>().count());
    document.reconnect_cap =
        std::clamp(nodes * reconnect_share, shortest_reconnect_cap, longest_reconnect_cap);
  }
  document.agent = agent;
  document.server_time = env_.clock.now();
  return document;
}

std::string Enrollment::nonce() {
  Bytes head;
  auto time = static_cast<std::uint64_t>(to_ms(env_.clock.now()));
  for (int i = 0; i < 8; ++i, time >>= 8U) head.push_back(static_cast<char>(time & 0xffU));
  head += env_.random.bytes(nonce_random);
  return to_base64url(head + key_.sign(std::string(nonce_context) + head));
}

/// A nonce carries its own proof, so that any replica can judge it and nothing is stored.
Result<void> Enrollment::check_nonce(std::string_view nonce) const {
  const auto octets = from_base64url(nonce);
  if (!octets || octets->size() != nonce_head + pki::ed25519_signature_size) {
    return renewal_refused("the nonce is not one of ours");
  }
  const auto head = octets->substr(0, nonce_head);
  if (!pki::verify_signature(key_.public_key(), std::string(nonce_context) + head,
                             octets->substr(nonce_head))) {
    return renewal_refused("the nonce is not one of ours");
  }
  std::uint64_t time = 0;
  for (unsigned i = 0; i < 8; ++i) {
    time |= static_cast<std::uint64_t>(static_cast<unsigned char>(head[i])) << (8U * i);
  }
  const auto age = env_.clock.now() - from_ms(static_cast<std::int64_t>(time));
  if (age < Milliseconds(0) || age > nonce_life) return renewal_refused("the nonce is too old");
  return {};
}

Result<EnrollmentAnswer> Enrollment::renew(const RenewalRequest& request,
                                           const access::Origin& origin) {
  ECP_TRY_VOID(check_nonce(request.nonce));
  ECP_TRY(const auto facts, prove(request, authority_, options_.renewal_grace, env_.clock.now()));
  ECP_TRY(const auto id, EdgeNodeId::parse(facts.common_name));
  const auto may_record = recorder();
  const auto unit = [&](storage::Transaction& transaction) -> Result<Outcome> {
    ECP_TRY(const auto node, transaction.get<EdgeNodeStore>().find(id));
    ECP_TRY(const bool good, is_good(transaction, node, facts.serial));
    if (!good && !may_record()) return Outcome{{}, Error(reasons::agent_refused)};
    ECP_TRY_VOID(audit::append_unauthenticated(
        transaction, env_,
        circumstance_of(id, node ? node->scope() : access::Scope::platform(), origin),
        operations::edge_node_renew, good ? audit::Outcome::done : audit::Outcome::denied,
        {"edge_node", id.to_string(), node ? node->name : ""}, {{"old_serial", facts.serial}}));
    if (!good) return Outcome{{}, Error(reasons::agent_refused)};
    ECP_TRY(auto answer, issue(transaction, id, request.csr_pem));
    return Outcome{std::move(answer), std::nullopt};
  };
  ECP_TRY(auto outcome, store_.write(unit));
  if (outcome.refusal) return std::move(*outcome.refusal);
  return std::move(outcome.answer);
}

Result<EdgeNodeId> Enrollment::authenticate(std::string_view client_certificate_der) {
  ECP_TRY(const auto facts, pki::certificate_facts(pem_of(client_certificate_der)));
  ECP_TRY(const auto id, EdgeNodeId::parse(facts.common_name));
  ECP_TRY(const auto certificate,
          store_.read([&](storage::Transaction& transaction) -> Result<AgentCertificate> {
            ECP_TRY(const auto node, transaction.get<EdgeNodeStore>().find(id));
            ECP_TRY(const bool good, is_good(transaction, node, facts.serial));
            if (!good) return reasons::agent_refused;
            ECP_TRY(auto known, transaction.get<AgentCertificateStore>().find(facts.serial));
            return std::move(*known);
          }));
  if (certificate.used_at) return id;
  ECP_TRY_VOID(store_.write([&](storage::Transaction& transaction) {
    return transaction.get<AgentCertificateStore>().mark_used(certificate.serial, env_.clock.now());
  }));
  return id;
}

Result<link::LinkDocument> Enrollment::link_document(EdgeNodeId agent) {
  return store_.read([&](storage::Transaction& transaction) -> Result<link::LinkDocument> {
    ECP_TRY(const auto node, transaction.get<EdgeNodeStore>().find(agent));
    if (!node || node->revoked) return reasons::agent_refused;
    return document_of(transaction, agent);
  });
}

}  // namespace ecp::inline v0::fleet
