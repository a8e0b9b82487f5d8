// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of alarm (numbers 2900-2999).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::alarm::reasons {

inline constexpr Reason unknown_tag{2900, "alarm_rule.unknown_tag", ErrorCode::invalid_argument,
                                    "tag {tag} is not a numeric data tag of that edge service"};
inline constexpr Reason bad_url{2901, "alarm_webhook.bad_url", ErrorCode::invalid_argument,
                                "url {problem}"};
inline constexpr Reason address_refused{
    2902, "alarm_webhook.address_refused", ErrorCode::invalid_argument,
    "url leads to {address}, where no webhook may lead unless this control plane's configuration "
    "allows it"};
inline constexpr Reason unexpected_status{2903, "alarm_webhook.unexpected_status",
                                          ErrorCode::unavailable,
                                          "the receiver answered with status {status}"};
inline constexpr std::array alarm_catalogue{&unknown_tag, &bad_url, &address_refused,
                                            &unexpected_status};

}  // namespace ecp::inline v0::alarm::reasons
