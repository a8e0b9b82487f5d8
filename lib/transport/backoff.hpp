// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How long a link waits before it tries again.

#include <ecp/core/export.hpp>
#include <ecp/core/random.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::transport {

inline constexpr Milliseconds longest_retry{60'000};

/// Uniformly 0..min(cap, max(2 s, cap / 4) * 2^attempt), so that a fleet does not come back in
/// step, and at its first try already not faster than its broker can greet it.
[[nodiscard]] ECP_EXPORT Milliseconds retry_delay(Random& random, unsigned attempt,
                                                  Milliseconds cap = longest_retry);

/// How long a connection may take to come about: `shortest`, doubled with each failure, up to the
/// cap. A broker that is greeting a whole fleet must be given the time, or its work is for nothing.
[[nodiscard]] ECP_EXPORT Milliseconds connect_patience(Milliseconds shortest, unsigned failures,
                                                       Milliseconds cap);

/// Room for a payload in a packet: topic, properties and headers need less than this much.
inline constexpr std::size_t packet_overhead = 512;

}  // namespace ecp::inline v0::transport
