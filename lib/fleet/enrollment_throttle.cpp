// SPDX-License-Identifier: Apache-2.0
#include "fleet/enrollment_throttle.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include <ecp/fleet/reasons.hpp>

namespace ecp::inline v0::fleet {
namespace {

constexpr std::size_t addresses = 10'000;  // Told apart in a window; the others share one count.
constexpr std::size_t network_octets = 8;

bool is_v4(const IdBytes& address) {
  const auto is_zero = [](auto octet) { return octet == 0; };
  return std::all_of(address.begin(), address.begin() + 10, is_zero);
}

}  // namespace

IdBytes EnrollmentThrottle::network_of(const access::Origin& origin) {
  auto network = origin.remote;
  if (!is_v4(network)) std::fill(network.begin() + network_octets, network.end(), 0);
  return network;
}

/// Begin a new window when the old one is over, or the clock was set back.
void EnrollmentThrottle::turn(Time now) {
  if (now >= window_from_ && now - window_from_ < refusal_window) return;
  window_from_ = now;
  refused_.clear();
  recorded_ = 0;
}

Result<void> EnrollmentThrottle::admit(const access::Origin& origin, Time now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  auto found = refused_.find(network_of(origin));
  if (found == refused_.end() && refused_.size() >= addresses) found = refused_.find({});
  if (found == refused_.end() || found->second < refusals_of_address) return {};
  ++unrecorded_;
  const auto rest = std::chrono::ceil<std::chrono::seconds>(window_from_ + refusal_window - now);
  return Error(reasons::too_many_tries, {{"retry_after_s", std::to_string(rest.count())}});
}

void EnrollmentThrottle::count(const access::Origin& origin, Time now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  auto network = network_of(origin);
  if (refused_.size() >= addresses && refused_.count(network) == 0) network = {};
  ++refused_[network];
}

bool EnrollmentThrottle::record(Time now) {
  const std::lock_guard lock(mutex_);
  turn(now);
  const bool is_recorded = recorded_ < refusals_recorded;
  ++(is_recorded ? recorded_ : unrecorded_);
  return is_recorded;
}

std::int64_t EnrollmentThrottle::take_unrecorded() {
  const std::lock_guard lock(mutex_);
  return std::exchange(unrecorded_, 0);
}

}  // namespace ecp::inline v0::fleet
