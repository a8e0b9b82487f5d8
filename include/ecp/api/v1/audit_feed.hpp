// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// New entries of the audit log for open event streams.

#include <memory>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::platform {
class LiveEvents;
}

namespace ecp::inline v0::api {

/// Looks every second where the audit chains end and hands what has been sealed since to the
/// listeners of this process, as `audit` with the entry as the API shows it, in the entry's own
/// scope. It follows the chains, not the writers: each replica finds what any replica did. Of more
/// than `audit_feed_entries` in one chain and look only the newest are told; all are in the log.
///
/// Ownership: store, `live` and the env's parts outlive it.
/// Thread safety: any thread. After `stop` it reads and publishes nothing.
class ECP_EXPORT AuditFeed {
 public:
  AuditFeed(storage::Store& store, platform::LiveEvents& live, const Env& env);
  ~AuditFeed();
  AuditFeed(const AuditFeed&) = delete;
  AuditFeed& operator=(const AuditFeed&) = delete;

  /// Look every second, on the env's workers. What was sealed before the first look is not told.
  void start();
  void stop() noexcept;

 private:
  struct State;
  std::shared_ptr<State> state_;  // Shared: this object and its timer's task.
};

inline constexpr std::int64_t audit_feed_entries = 50;

}  // namespace ecp::inline v0::api
