// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What is done to a control plane's database from the command line, whether it runs or not.

#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/server/settings.hpp>

namespace ecp::inline v0::server {

/// Outcome of an audit verification, in one line for people.
struct AuditVerdict {
  bool whole = false;
  std::string summary;
};

/// Verify the audit log. Fails with `failed_precondition` when there is none.
[[nodiscard]] ECP_EXPORT Result<AuditVerdict> verify_audit(const Settings& settings,
                                                           const std::optional<Secret>& master_key,
                                                           Env env);

/// URL of the live page with a one-time code for a user. Fails with `not_found`.
[[nodiscard]] ECP_EXPORT Result<std::string> make_login_link(const Settings& settings,
                                                             std::string_view email, Env env);

/// Set a user's password, unlock him, end his sessions. Fails with `not_found` and on a password
/// that breaks the rules.
[[nodiscard]] ECP_EXPORT Result<void> reset_password(const Settings& settings,
                                                     std::string_view email, const Secret& password,
                                                     Env env);

/// Write what a mosquitto needs that somebody else runs for us, into a folder; the outcome is told
/// in lines for people, the next step last. Fails with `failed_precondition` without broker.url.
[[nodiscard]] ECP_EXPORT Result<std::string> write_broker_files(
    const Settings& settings, const std::optional<Secret>& master_key, const std::string& folder,
    const std::string& plugin_path, Env env);

/// "https://host:port", where people find us.
[[nodiscard]] ECP_EXPORT std::string page_url(const Settings& settings);

}  // namespace ecp::inline v0::server
