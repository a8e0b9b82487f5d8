// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Certificates that the control plane shows: files in its data folder, kept fresh.

#include <string>
#include <vector>

#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>
#include <ecp/http/server.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/transport/mqtt.hpp>

namespace ecp::inline v0::plane {

/// What `refresh` made anew.
struct Refreshed {
  bool broker = false;
  bool https = false;
};

/// Our root certificate and the certificates of HTTPS, of our broker, of this replica's connection
/// to it, and of the canary that proves the broker's guard. Chain and key stand in one file each,
/// so that neither is ever seen without the other.
///
/// Thread safety: `refresh` from one thread at a time; the rest any thread.
class Credentials {
 public:
  Credentials(const PlaneConfig& config, const pki::Authority& authority, Env env);

  /// Make what is missing, older than two thirds of its life, of another CA or for other names.
  [[nodiscard]] Result<Refreshed> refresh();

  [[nodiscard]] std::string root_path() const { return folder_ + "/root-ca.pem"; }
  [[nodiscard]] std::string broker_path() const { return folder_ + "/broker.pem"; }
  /// This replica's random id.
  [[nodiscard]] const std::string& replica() const noexcept { return replica_; }
  [[nodiscard]] transport::MqttTls gateway_tls() const;
  [[nodiscard]] const std::string& canary_name() const noexcept { return canary_; }
  [[nodiscard]] transport::MqttTls canary_tls() const;

  /// One's own certificate if configured, else ours.
  [[nodiscard]] Result<http::ServerTls> server_tls() const;
  /// Hex SHA-256 of the root that the HTTPS chain ends in; what enrollment tokens carry.
  [[nodiscard]] Result<std::string> root_pin() const;
  /// All roots that agents shall trust.
  [[nodiscard]] Result<std::string> trust_roots() const;

 private:
  [[nodiscard]] std::string broker_trust() const {
    return broker_trust_path_.empty() ? root_path() : broker_trust_path_;
  }
  [[nodiscard]] std::string https_path() const { return folder_ + "/https.pem"; }
  [[nodiscard]] std::string gateway_path() const { return folder_ + "/gateway.pem"; }
  [[nodiscard]] std::string canary_path() const { return folder_ + "/canary.pem"; }
  [[nodiscard]] bool is_fresh(const std::string& path, pki::Usage usage,
                              const std::vector<std::string>& names) const;
  [[nodiscard]] Result<bool> refresh_server(const std::string& path,
                                            const std::vector<std::string>& names);
  [[nodiscard]] Result<void> refresh_gateway();
  [[nodiscard]] Result<void> refresh_canary();

  std::string folder_;
  std::string own_certificate_path_;
  std::string own_key_path_;
  std::string broker_trust_path_;  ///< Empty: our own root.
  std::vector<std::string> https_names_;
  std::vector<std::string> broker_names_;
  bool broker_is_external_;
  const pki::Authority& authority_;
  std::string replica_;
  std::string canary_;
  Env env_;
};

/// Write a file of mode 0600 with a chain first and its key last.
[[nodiscard]] Result<void> write_pair(const std::string& path, const std::string& chain,
                                      const Secret& key);

/// What agents are told about brokers.
[[nodiscard]] std::vector<link::LinkDocument::Broker> advertised_brokers(
    const BrokerConfig& config);

}  // namespace ecp::inline v0::plane
