// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What a command line does to a control plane's store, whether the control plane runs or not.

#include <optional>
#include <string_view>

#include <ecp/audit/verify.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/plane/control_plane.hpp>

namespace ecp::inline v0::plane {

/// Prove the audit log of the configured store by its chains and signatures and by the checkpoint
/// file beside the database. Fails, like the others here, with `failed_precondition`
/// (plane.nothing_here) where no control plane has run yet.
[[nodiscard]] ECP_EXPORT Result<audit::VerifyReport> verify_audit(
    const PlaneConfig& config, const std::optional<Secret>& master_key, Env env);

/// Make the code of a log-in link for a user. Audited as ours. Fails with `not_found`.
[[nodiscard]] ECP_EXPORT Result<Secret> make_login_link(const PlaneConfig& config,
                                                        std::string_view email, Env env);

/// Give a user a new password and end his sessions. Audited as ours. Fails with `not_found`, and
/// with `invalid_argument` for a password that is refused.
[[nodiscard]] ECP_EXPORT Result<void> reset_password(const PlaneConfig& config,
                                                     std::string_view email, const Secret& next,
                                                     Env env);

}  // namespace ecp::inline v0::plane
