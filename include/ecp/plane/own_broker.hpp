// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What somebody needs who runs the broker of the agent link himself.

#include <optional>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/core/time.hpp>
#include <ecp/plane/control_plane.hpp>

namespace ecp::inline v0::plane {

/// Files for a mosquitto that listens where `broker.url` says.
struct BrokerFiles {
  std::string config_path;       ///< mosquitto.conf
  std::string certificate_path;  ///< Its certificate chain and key.
  std::string roots_path;        ///< What the certificates of its clients must chain to.
  Time not_after{};              ///< End of that certificate.
};

/// Write them into a folder, which is made with mode 0700, each file with 0600; those that are
/// there are replaced. The certificate is from our own authority, which is made first where no
/// control plane has run yet. Audited as ours.
/// Fails with `failed_precondition` (plane.no_broker_url) when the broker is ours to start.
[[nodiscard]] ECP_EXPORT Result<BrokerFiles> write_broker_files(
    const PlaneConfig& config, const std::optional<Secret>& master_key, const std::string& folder,
    const std::string& plugin_path, Env env);

}  // namespace ecp::inline v0::plane
