// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The control plane's own keys: sealed rows, made once.

#include <optional>

#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/pki/authority.hpp>
#include <ecp/pki/signature.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::plane {

/// Everything that is signed by us is signed with one of these.
struct Keys {
  pki::Authority authority;      ///< Root and issuing CAs.
  pki::SigningKey audit_key;     ///< Signs the audit log's checkpoints.
  pki::SigningKey manifest_key;  ///< Signs what edge nodes shall be.
  Secret share_group;            ///< Names the replicas' common subscription; nobody guesses it.
};

/// The master key: given, or that of the configured file, which is made when there is none.
[[nodiscard]] Result<platform::Sealing> open_sealing(const PlaneConfig& config,
                                                     const std::optional<Secret>& master_key,
                                                     const Env& env);

/// Read the keys of a store, making those that are missing.
[[nodiscard]] Result<Keys> load_keys(storage::Store& store, const platform::Sealing& sealing,
                                     Env env);
/// The audit key alone.
[[nodiscard]] Result<pki::SigningKey> load_audit_key(storage::Store& store,
                                                     const platform::Sealing& sealing, Env env);

}  // namespace ecp::inline v0::plane
