// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How refused enrollments slow the next ones down, and how many of them stand in the audit log.

#include <cstdint>
#include <map>
#include <mutex>

#include <ecp/access/grant.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::fleet {

/// Refusals are counted by the minute.
inline constexpr Milliseconds refusal_window{60'000};
/// Refusals of one address in a window, after which it waits for the next.
inline constexpr std::int64_t refusals_of_address = 10;
/// Refusals of all addresses in a window that have an audit entry each; the others are counted.
inline constexpr std::int64_t refusals_recorded = 60;

/// Counts refusals in the memory of this replica.
///
/// Thread safety: any thread.
class EnrollmentThrottle {
 public:
  /// Fails with `resource_exhausted` when the address has to wait.
  Result<void> admit(const access::Origin& origin, Time now);
  /// Count an enrollment that was refused.
  void count(const access::Origin& origin, Time now);
  /// Whether a refusal may have an audit entry of its own; else it is counted.
  bool record(Time now);
  /// Refusals without an entry of their own since the last call.
  std::int64_t take_unrecorded();

 private:
  /// Networks of IPv6 count as one address: a site has a whole one to itself.
  static IdBytes network_of(const access::Origin& origin);
  void turn(Time now);
  std::mutex mutex_;
  Time window_from_{};
  std::map<IdBytes, std::int64_t> refused_;
  std::int64_t recorded_ = 0;
  std::int64_t unrecorded_ = 0;
};

}  // namespace ecp::inline v0::fleet
