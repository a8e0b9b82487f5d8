// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How a machine becomes an edge node, and how its certificate is renewed.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/fleet/ids.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::pki {
class Authority;
class SigningKey;
}  // namespace ecp::inline v0::pki

namespace ecp::inline v0::fleet {

/// A certificate given to an agent.
struct AgentCertificate {
  std::string serial;  ///< Hex.
  EdgeNodeId node;
  std::string key_sha256;  ///< Hex, of the public key.
  Time issued_at{};
  Time not_after{};
  std::optional<Time> used_at;  ///< First use over HTTPS.
};

/// Durable record of every certificate, made before it is sent.
class ECP_EXPORT AgentCertificateStore {
 public:
  static constexpr std::string_view store_name = "fleet.agent_certificates";
  virtual ~AgentCertificateStore();
  virtual Result<void> insert(const AgentCertificate& certificate) = 0;
  virtual Result<std::optional<AgentCertificate>> find(std::string_view serial) = 0;
  /// Record the first use.
  virtual Result<void> mark_used(std::string_view serial, Time at) = 0;
  /// True when a certificate of the node that was issued later has been used.
  virtual Result<bool> is_superseded(const AgentCertificate& certificate) = 0;
  virtual Result<void> remove(EdgeNodeId node) = 0;
};

struct EnrollmentOptions {
  Milliseconds certificate_life = Milliseconds(90LL * 24 * 3'600'000);
  /// How long after its expiry a certificate may still be renewed.
  Milliseconds renewal_grace = Milliseconds(180LL * 24 * 3'600'000);
  /// Brokers, URLs, roots, manifest keys and intervals as of now; agent and time are filled in,
  /// and `reconnect_cap` from the number of edge nodes when it is 0.
  std::function<link::LinkDocument()> link;
};

/// What a machine gets.
struct EnrollmentAnswer {
  EdgeNodeId agent;
  std::string certificate_chain_pem;
  std::string root_pem;
  link::LinkDocument link;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const EnrollmentAnswer& answer);

struct RenewalRequest {
  std::string certificate_pem;  ///< The old one.
  std::string csr_pem;          ///< For a new key.
  std::string nonce;            ///< From `nonce()`, at most 5 minutes old.
  Bytes signature;  ///< By the old key over "ecp-renew-v1", the nonce and the CSR's PEM text.
};
inline constexpr std::string_view renewal_signature_context = "ecp-renew-v1";

class EnrollmentThrottle;
class TrustObserver;

/// Enrolls and renews. Needs no grant: a token or the old key is the proof. Each outcome is
/// audited; in a flood of refusals most are counted and stand in one entry together.
///
/// Thread safety: any thread; calls block.
class ECP_EXPORT Enrollment {
 public:
  /// What it stands on; all of it outlives the enrollment.
  struct Parts {
    storage::Store& store;
    const pki::Authority& authority;
    const pki::SigningKey& key;
    TrustObserver& trust;
  };
  Enrollment(const Parts& parts, EnrollmentOptions options, Env env);
  ~Enrollment();
  Enrollment(const Enrollment&) = delete;
  Enrollment& operator=(const Enrollment&) = delete;

  /// Use a token. The use is bound to the CSR's key: the same token and key get the same id again,
  /// with a new certificate. Fails with `unauthenticated` for a token that is unknown or too old,
  /// `already_exists` when another key has used it up or the name is taken, `invalid_argument` for
  /// a bad CSR, `resource_exhausted` for an address that was refused too often in the last minute.
  /// The CSR's subject is ignored.
  Result<EnrollmentAnswer> enroll(std::string_view token, std::string_view csr_pem,
                                  std::string_view name, const access::Origin& origin);
  /// Return a fresh nonce; nothing is stored.
  [[nodiscard]] std::string nonce();
  /// Fails with `unauthenticated` unless certificate, nonce and signature are right, and
  /// `permission_denied` when the node is revoked or removed, or a newer certificate is in use.
  Result<EnrollmentAnswer> renew(const RenewalRequest& request, const access::Origin& origin);
  /// Judge a client certificate that the HTTPS listener verified: recorded, of a node that is
  /// neither revoked nor removed. Records its first use.
  Result<EdgeNodeId> authenticate(std::string_view client_certificate_der);
  /// Fails with `permission_denied` when the node is revoked or removed.
  Result<link::LinkDocument> link_document(EdgeNodeId agent);
  /// Write one audit entry about the refusals that had none of their own, if there were any. To be
  /// called every minute.
  Result<void> record_refusals();

 private:
  Result<EnrollmentAnswer> issue(storage::Transaction& transaction, EdgeNodeId node,
                                 std::string_view csr_pem);
  [[nodiscard]] std::function<bool()> recorder() const;
  Result<void> check_nonce(std::string_view nonce) const;
  Result<link::LinkDocument> document_of(storage::Transaction& transaction, EdgeNodeId agent) const;
  storage::Store& store_;
  const pki::Authority& authority_;
  const pki::SigningKey& key_;
  TrustObserver& trust_;
  EnrollmentOptions options_;
  Env env_;
  std::unique_ptr<EnrollmentThrottle> throttle_;
};

}  // namespace ecp::inline v0::fleet
