// SPDX-License-Identifier: Apache-2.0
#include "identity/throttle.hpp"

#include <algorithm>

#include <ecp/identity/reasons.hpp>

#include "identity/text.hpp"

namespace ecp::inline v0::identity {

Attempts after_failure(Attempts attempts, const ThrottleRule& rule, Time now) {
  if (now - attempts.window_from > rule.window && attempts.blocked_until <= now) {
    attempts.in_window = 0;
    attempts.window_from = now;
  }
  ++attempts.in_window;
  ++attempts.consecutive;
  attempts.last = now;
  if (attempts.in_window >= rule.free) {
    const auto doublings = std::min<std::int64_t>(attempts.in_window - rule.free, 20);
    const Milliseconds pause = std::chrono::seconds(std::int64_t{1} << doublings);
    attempts.blocked_until = now + std::min(pause, rule.longest);
  }
  return attempts;
}

Result<void> check_attempts(const Attempts& attempts, const ThrottleRule& rule, Time now) {
  if (attempts.consecutive >= rule.locked_at) return reasons::locked;
  if (attempts.blocked_until <= now) return {};
  const auto rest = std::chrono::ceil<std::chrono::seconds>(attempts.blocked_until - now);
  return Error(reasons::too_many_tries, {{"seconds", std::to_string(rest.count())}});
}

std::string account_subject(std::string_view email) {
  return "account:" + hash_text(lower_case(email));
}

std::string address_subject(const access::Origin& origin) {
  return "address:" + to_hex(BytesView(reinterpret_cast<const char*>(origin.remote.data()),
                                       origin.remote.size()));
}

}  // namespace ecp::inline v0::identity
