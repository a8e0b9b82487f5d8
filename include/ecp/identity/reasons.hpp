// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of identity (numbers 1600-1699).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::identity::reasons {
/// One answer for an unknown user, a disabled one and a wrong password.
inline constexpr Reason wrong_credentials{1600, "identity.wrong_credentials",
                                          ErrorCode::unauthenticated,
                                          "e-mail address or password is wrong"};
inline constexpr Reason session_over{1601, "identity.session_over", ErrorCode::unauthenticated,
                                     "this log-in is over: log in again"};
inline constexpr Reason too_many_tries{1602, "identity.too_many_tries",
                                       ErrorCode::resource_exhausted,
                                       "too many failed tries: wait {retry_after_s} s"};
inline constexpr Reason locked{1603, "identity.locked", ErrorCode::resource_exhausted,
                               "too many failed tries: an administrator must set a new password"};
inline constexpr Reason busy{1604, "identity.busy", ErrorCode::resource_exhausted,
                             "too many people are logging in at this moment: try again"};
inline constexpr Reason weak_password{1605, "identity.weak_password", ErrorCode::invalid_argument,
                                      "the password {problem}"};
inline constexpr Reason bad_link{1606, "identity.bad_link", ErrorCode::unauthenticated,
                                 "this log-in link was used already or is too old"};
inline constexpr Reason bad_bootstrap_secret{
    1607, "identity.bad_bootstrap_secret", ErrorCode::unauthenticated,
    "the one-time secret is wrong, was used already or is too old"};
inline constexpr Reason last_admin{1608, "identity.last_admin", ErrorCode::failed_precondition,
                                   "this is the last system administrator who can log in"};
inline constexpr Reason rights_changed{1609, "identity.rights_changed", ErrorCode::unauthenticated,
                                       "your rights have changed: refresh this log-in"};
inline constexpr std::array identity_catalogue{
    &wrong_credentials, &session_over, &too_many_tries,       &locked,     &busy,
    &weak_password,     &bad_link,     &bad_bootstrap_secret, &last_admin, &rights_changed};
}  // namespace ecp::inline v0::identity::reasons
