// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// X.509 certificates, P-256 keys and certificate requests, all as PEM text.

#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::pki {

/// What a certificate says.
struct CertificateFacts {
  std::string common_name;  ///< Empty when the subject has none.
  std::string serial;       ///< Lower-case hex without leading zeros.
  Time not_before;
  Time not_after;
  Sha256 digest{};                 ///< SHA-256 of the DER octets.
  Sha256 public_key{};             ///< SHA-256 of the SubjectPublicKeyInfo.
  std::vector<std::string> names;  ///< DNS names and addresses of the SAN, as text.
  bool is_authority = false;       ///< Basic constraints say CA.
};

/// Read the first certificate of a PEM text.
[[nodiscard]] ECP_EXPORT Result<CertificateFacts> certificate_facts(std::string_view pem);
/// SHA-256 of the DER octets of the last certificate of a PEM text: the root of a whole chain.
[[nodiscard]] ECP_EXPORT Result<Sha256> last_certificate_digest(std::string_view pem);
/// Number of certificates in a PEM text; fails with `invalid_argument` when any is damaged.
[[nodiscard]] ECP_EXPORT Result<std::size_t> count_certificates(std::string_view pem);

/// What the holder of a leaf wants to be.
enum class Usage { client, server };

/// Succeed when the first certificate of `leaf_pem` chains over the others of `leaf_pem` and
/// `intermediates_pem` to one of `roots_pem` at the time `at` and may be used so; with `host`, a
/// SAN must name it. Else `permission_denied` (pki.untrusted, naming the problem).
struct ChainQuestion {
  std::string_view leaf_pem;
  std::string_view intermediates_pem;
  std::string_view roots_pem;
  Time at;
  Usage usage = Usage::client;
  std::string_view host;  ///< DNS name or address; empty: not checked.
};
[[nodiscard]] ECP_EXPORT Result<void> verify_chain(const ChainQuestion& question);

/// Make a P-256 key; PKCS #8 PEM.
[[nodiscard]] ECP_EXPORT Result<Secret> make_p256_key();
/// Make a PKCS #10 request for a key.
[[nodiscard]] ECP_EXPORT Result<std::string> make_csr(const Secret& key_pem,
                                                      std::string_view common_name);
/// Check a request's own signature and that its key is P-256; return the SHA-256 of its
/// SubjectPublicKeyInfo. Fails with `invalid_argument`.
[[nodiscard]] ECP_EXPORT Result<Sha256> check_csr(std::string_view csr_pem);
/// SHA-256 of a private key's SubjectPublicKeyInfo.
[[nodiscard]] ECP_EXPORT Result<Sha256> public_key_digest(const Secret& key_pem);

/// ECDSA with SHA-256: how an agent proves its old key when it renews.
[[nodiscard]] ECP_EXPORT Result<Bytes> sign_with_key(const Secret& key_pem, BytesView octets);
/// Fails with `permission_denied` (pki.bad_signature).
[[nodiscard]] ECP_EXPORT Result<void> verify_with_certificate(std::string_view certificate_pem,
                                                              BytesView octets,
                                                              BytesView signature);

}  // namespace ecp::inline v0::pki
