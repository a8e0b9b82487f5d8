// SPDX-License-Identifier: Apache-2.0
#include "transport/backoff.hpp"

#include <algorithm>

namespace ecp::inline v0::transport {

namespace {
constexpr std::int64_t shortest_first_ms = 2'000;
constexpr std::int64_t first_share = 4;  // Of the cap, which grows with the fleet.
constexpr unsigned last_doubling = 5;    // 2 s * 2^5 is over the longest already.
}  // namespace

Milliseconds retry_delay(Random& random, unsigned attempt, Milliseconds cap) {
  const auto first = std::max<std::int64_t>(shortest_first_ms, cap.count() / first_share);
  const auto bound = std::min<std::int64_t>(cap.count(), first << std::min(attempt, last_doubling));
  return Milliseconds(
      static_cast<std::int64_t>(random.below(static_cast<std::uint64_t>(bound) + 1)));
}

Milliseconds connect_patience(Milliseconds shortest, unsigned failures, Milliseconds cap) {
  return std::min(std::max(shortest, cap), shortest * (1 << std::min(failures, last_doubling)));
}

}  // namespace ecp::inline v0::transport
