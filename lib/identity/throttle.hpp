// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How failed tries slow the next ones down; private to identity.

#include <string>
#include <string_view>

#include <ecp/access/grant.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/identity/stores.hpp>

namespace ecp::inline v0::identity {

/// Tries that cost nothing, and the pauses afterwards: one second, doubled with each failure.
struct ThrottleRule {
  std::int64_t free;       ///< Failures within `window` before the first pause.
  std::int64_t locked_at;  ///< Consecutive failures after which only an administrator helps.
  Milliseconds window = std::chrono::minutes(5);
  Milliseconds longest = std::chrono::minutes(15);
};

inline constexpr std::int64_t account_lock = 100;
inline constexpr ThrottleRule account_rule{10, account_lock};
/// Many people may be behind one address, so it is never locked.
inline constexpr ThrottleRule address_rule{100, INT64_MAX};

/// The state after one more failure.
[[nodiscard]] Attempts after_failure(Attempts before, const ThrottleRule& rule, Time now);
/// Fails with `resource_exhausted` while a pause lasts, or when locked.
[[nodiscard]] Result<void> check_attempts(const Attempts& attempts, const ThrottleRule& rule,
                                          Time now);

/// Under which name the tries on an account are counted, whether it exists or not.
[[nodiscard]] std::string account_subject(std::string_view email);
[[nodiscard]] std::string address_subject(const access::Origin& origin);

/// Ask and count for an address alone, where no account is named: links, the first secret.
[[nodiscard]] Result<void> check_address(storage::Transaction& transaction,
                                         const access::Origin& origin, Time now);
[[nodiscard]] Result<void> count_address_failure(storage::Transaction& transaction,
                                                 const access::Origin& origin, Time now);

}  // namespace ecp::inline v0::identity
