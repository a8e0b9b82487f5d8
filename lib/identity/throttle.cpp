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
  return Error(reasons::too_many_tries, {{"retry_after_s", std::to_string(rest.count())}});
}

std::string account_subject(std::string_view email) {
  return "account:" + hash_text(lower_case(email));
}

std::string address_subject(const access::Origin& origin) {
  return "address:" + to_hex(BytesView(reinterpret_cast<const char*>(origin.remote.data()),
                                       origin.remote.size()));
}

Result<void> check_address(storage::Transaction& transaction, const access::Origin& origin,
                           Time now) {
  ECP_TRY(const auto attempts, transaction.get<AttemptStore>().get(address_subject(origin)));
  return check_attempts(attempts, address_rule, now);
}

Result<void> count_address_failure(storage::Transaction& transaction, const access::Origin& origin,
                                   Time now) {
  auto& store = transaction.get<AttemptStore>();
  ECP_TRY(const auto before, store.get(address_subject(origin)));
  return store.put(address_subject(origin), after_failure(before, address_rule, now));
}

}  // namespace ecp::inline v0::identity
