// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Reasons of transport (numbers 2400-2499).

#include <array>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::transport {

namespace reasons {
inline constexpr Reason link_down{2400, "transport.link_down", ErrorCode::unavailable,
                                  "the link is down"};
inline constexpr Reason nobody_listens{2401, "transport.nobody_listens", ErrorCode::unavailable,
                                       "nobody takes {what} now"};
inline constexpr Reason queue_full{2402, "transport.queue_full", ErrorCode::resource_exhausted,
                                   "{limit} messages wait already"};
inline constexpr Reason too_large{2403, "transport.too_large", ErrorCode::invalid_argument,
                                  "the message of {size} octets is larger than {limit}"};
inline constexpr Reason refused{2404, "transport.refused", ErrorCode::permission_denied,
                                "the broker refused the message (code {code})"};
inline constexpr Reason bad_options{2405, "transport.bad_options", ErrorCode::invalid_argument,
                                    "{option} {problem}"};
inline constexpr Reason peer_error{2406, "transport.peer_error", ErrorCode::failed_precondition,
                                   "the other end answered {reason}: {message}"};
inline constexpr Reason no_broker_program{
    2407, "transport.no_broker_program", ErrorCode::failed_precondition,
    "{path} is not there; install the Debian package {package}"};
inline constexpr Reason broker_failed{2408, "transport.broker_failed", ErrorCode::unavailable,
                                      "the broker does not run: {problem}"};
inline constexpr Reason broker_unguarded{2409, "transport.broker_unguarded",
                                         ErrorCode::failed_precondition,
                                         "the broker does not refuse what it must: {problem}"};
inline constexpr Reason port_taken{2410, "transport.port_taken", ErrorCode::failed_precondition,
                                   "another program listens on {address} already"};
inline constexpr Reason bad_channel{2411, "transport.bad_channel", ErrorCode::invalid_argument,
                                    "the channel cannot be used in this direction"};
inline constexpr Reason guard_unproven{2412, "transport.guard_unproven", ErrorCode::unavailable,
                                       "the broker's guard is not proven yet"};
}  // namespace reasons

inline constexpr std::array transport_catalogue{
    &reasons::link_down,        &reasons::nobody_listens,    &reasons::queue_full,
    &reasons::too_large,        &reasons::refused,           &reasons::bad_options,
    &reasons::peer_error,       &reasons::no_broker_program, &reasons::broker_failed,
    &reasons::broker_unguarded, &reasons::port_taken,        &reasons::bad_channel,
    &reasons::guard_unproven};

}  // namespace ecp::inline v0::transport
