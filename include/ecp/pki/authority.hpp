// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The control plane's certificate authority: one root, one issuing CA for agents and one for
/// servers and replicas.

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/core/time.hpp>
#include <ecp/pki/certificate.hpp>

namespace ecp::inline v0::pki {

inline constexpr std::chrono::hours root_life{24 * 365 * 20};
inline constexpr std::chrono::hours leaf_life{24 * 90};
inline constexpr std::chrono::hours replica_life{24};

/// A certificate just made.
struct IssuedCertificate {
  std::string chain_pem;  ///< Leaf, then its issuing CA.
  CertificateFacts facts;
};

/// Issues certificates: P-256, ECDSA with SHA-256, random 128-bit serials, valid from a day back.
///
/// Thread safety: const members from any thread.
class ECP_EXPORT Authority {
 public:
  /// Make a root and both issuing CAs.
  [[nodiscard]] static Result<Authority> create(std::string_view organization, Env env);
  /// Read what `to_secret` made. Fails with `data_loss`.
  [[nodiscard]] static Result<Authority> from_secret(const Secret& text, Env env);
  ~Authority();
  Authority(Authority&&) noexcept;
  Authority& operator=(Authority&&) noexcept;

  /// All keys and certificates as one text, to be sealed.
  [[nodiscard]] Secret to_secret() const;
  [[nodiscard]] const std::string& root_pem() const noexcept;
  [[nodiscard]] const std::string& agent_ca_pem() const noexcept;
  [[nodiscard]] const std::string& server_ca_pem() const noexcept;

  /// Certificate of an agent: clientAuth only, the given common name, the request's key and nothing
  /// else of the request. Fails with `invalid_argument` on a bad request or name (1..64 of
  /// [0-9a-z_-], not beginning with "ecpd-").
  [[nodiscard]] Result<IssuedCertificate> issue_agent(std::string_view csr_pem,
                                                      std::string_view common_name,
                                                      Milliseconds life = leaf_life) const;
  /// The same, handing the serial (hex) to `record` before the certificate exists; an error of
  /// `record` is passed on.
  [[nodiscard]] Result<IssuedCertificate> issue_agent_recorded(
      std::string_view csr_pem, std::string_view common_name, Milliseconds life,
      const std::function<Result<void>(const std::string& serial, Time not_after)>& record) const;
  /// Certificate of a server: serverAuth only, empty subject, the given DNS names and addresses.
  [[nodiscard]] Result<IssuedCertificate> issue_server(const Secret& key_pem,
                                                       const std::vector<std::string>& names,
                                                       Milliseconds life = leaf_life) const;
  /// Certificate of a replica's own connection to the broker: clientAuth only, common name
  /// "ecpd-" + `replica`.
  [[nodiscard]] Result<IssuedCertificate> issue_replica(const Secret& key_pem,
                                                        std::string_view replica,
                                                        Milliseconds life = replica_life) const;

 private:
  struct State;
  explicit Authority(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace ecp::inline v0::pki
