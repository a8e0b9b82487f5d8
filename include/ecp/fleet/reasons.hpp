// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of the fleet (numbers 2000-2199).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::fleet::reasons {

inline constexpr Reason token_refused{
    2000, "enrollment.token_refused", ErrorCode::unauthenticated,
    "the enrollment token is unknown, removed or too old; ask for "
    "a new one"};
inline constexpr Reason token_used{2001, "enrollment.token_used", ErrorCode::already_exists,
                                   "the enrollment token has been used up by another machine; ask "
                                   "for a new one"};
inline constexpr Reason bad_csr{2002, "enrollment.bad_csr", ErrorCode::invalid_argument,
                                "the certificate request is not valid: {problem}"};
inline constexpr Reason agent_refused{2003, "enrollment.agent_refused",
                                      ErrorCode::permission_denied,
                                      "the edge node is revoked or removed; enroll it anew"};
inline constexpr Reason renewal_refused{2004, "enrollment.renewal_refused",
                                        ErrorCode::unauthenticated,
                                        "the renewal is refused: {problem}"};
inline constexpr Reason certificate_missing{2005, "enrollment.certificate_missing",
                                            ErrorCode::unauthenticated,
                                            "show the certificate that enrollment gave"};
inline constexpr Reason too_many_tries{2006, "enrollment.too_many_tries",
                                       ErrorCode::resource_exhausted,
                                       "too many enrollments from this address were refused; try "
                                       "again in {retry_after_s} s"};
inline constexpr Reason node_revoked{2010, "edge_node.revoked", ErrorCode::failed_precondition,
                                     "the edge node {name} is revoked"};
inline constexpr Reason unknown_tag{2021, "edge_service.unknown_tag", ErrorCode::not_found,
                                    "the service has no data tag {tag}"};
inline constexpr Reason too_many_commands{2030, "command.too_many", ErrorCode::resource_exhausted,
                                          "the edge node has {limit} commands under way; wait for "
                                          "some to end"};
inline constexpr Reason no_result{2031, "command.no_result", ErrorCode::unavailable,
                                  "it was sent and no result came in time"};
inline constexpr Reason not_sent{2032, "command.not_sent", ErrorCode::unavailable,
                                 "the edge node was not connected before it expired"};
inline constexpr Reason perhaps_sent{2033, "command.perhaps_sent", ErrorCode::data_loss,
                                     "the edge node knows more than the database, which was put "
                                     "back; it is asked whether the command ran"};
inline constexpr Reason disk_put_back{2034, "command.disk_put_back", ErrorCode::data_loss,
                                      "the edge node's disk, or the database, was put back after "
                                      "the command was sent; nobody remembers whether it ran"};
inline constexpr Reason manifest_too_large{2040, "desired.manifest_too_large",
                                           ErrorCode::resource_exhausted,
                                           "the desired state of the edge node is over its limit"};
inline constexpr std::array fleet_catalogue{
    &token_refused,       &token_used,     &bad_csr,      &agent_refused, &renewal_refused,
    &certificate_missing, &too_many_tries, &node_revoked, &unknown_tag,   &too_many_commands,
    &no_result,           &not_sent,       &perhaps_sent, &disk_put_back, &manifest_too_large};

}  // namespace ecp::inline v0::fleet::reasons
