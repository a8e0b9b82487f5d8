// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Raises and clears alarms from what happens in the fleet.

#include <functional>
#include <span>
#include <string_view>
#include <vector>

#include <ecp/alarm/alarm.hpp>
#include <ecp/alarm/alarm_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/fleet/ports.hpp>
#include <ecp/storage/transaction.hpp>
#include <ecp/tenancy/ports.hpp>

namespace ecp::inline v0::platform {
class LiveEvents;
}
namespace ecp::inline v0::rbac {
class Authorizer;
}

namespace ecp::inline v0::alarm {

/// How long an enrollment token's or a restore's alarm stays active when nobody clears its cause.
inline constexpr Milliseconds trust_alarm_life{24LL * 3'600'000};
/// How long a doubled identity must be quiet before its alarm clears.
inline constexpr Milliseconds identity_quiet{15LL * 60'000};

/// Applies numbered transitions of agents, raises the built-in alarms, and lays a notice for each
/// raise and clear into the outbox, one per webhook of the project: alarm, audit entry, notices and
/// the agent's cursor commit together or not at all.
///
/// Transactions: every call composes into the caller's unit.
/// Thread safety: any thread.
class ECP_EXPORT AlarmEngine final : public fleet::TransitionSink,
                                     public fleet::NodeObserver,
                                     public fleet::TrustObserver,
                                     public tenancy::ScopeObserver {
 public:
  /// Everything given outlives the engine.
  AlarmEngine(rbac::Authorizer& authorizer, platform::LiveEvents& live, Env env);
  ~AlarmEngine() override;

  /// Call `wake` after each commit that left notices in the outbox. Set before anything runs.
  void on_notices(std::function<void()> wake) { wake_ = std::move(wake); }

  // fleet::TransitionSink
  Result<void> apply(storage::Transaction& transaction, const fleet::EdgeNode& node,
                     std::span<const fleet::NumberedTransition> transitions) override;

  // fleet::NodeObserver
  Result<void> node_absent(storage::Transaction& transaction, const fleet::EdgeNode& node,
                           Time since) override;
  Result<void> node_returned(storage::Transaction& transaction, const fleet::EdgeNode& node,
                             Time at) override;
  Result<void> service_state_changed(storage::Transaction& transaction, const fleet::EdgeNode& node,
                                     const fleet::EdgeService& service, link::ServiceState before,
                                     Time at) override;
  Result<void> node_removed(storage::Transaction& transaction,
                            const fleet::EdgeNode& node) override;
  Result<void> service_removed(storage::Transaction& transaction,
                               const fleet::EdgeService& service) override;

  // fleet::TrustObserver: always on, for they tell of an attack or a loss.
  Result<void> token_used_again(storage::Transaction& transaction,
                                const fleet::EnrollmentToken& token) override;
  Result<void> token_removed(storage::Transaction& transaction,
                             const fleet::EnrollmentToken& token) override;
  Result<void> identity_doubled(storage::Transaction& transaction, const fleet::EdgeNode& node,
                                Time at) override;
  Result<void> database_restored(storage::Transaction& transaction, const fleet::EdgeNode& node,
                                 Time at) override;

  // tenancy::ScopeObserver: rules, alarms, webhooks and waiting notices go with their project.
  Result<void> scope_removed(storage::Transaction& transaction,
                             const access::Scope& scope) override;

  /// Clear what only time clears: to be called every minute.
  Result<void> sweep(storage::Transaction& transaction);
  /// Raise an alarm unless one is active for its key. Id and state are filled in.
  Result<void> raise(storage::Transaction& transaction, Alarm alarm);
  /// Clear the active alarm of a key, if there is one.
  Result<void> clear(storage::Transaction& transaction, std::string_view key, Time at,
                     std::string_view why, std::int64_t number = 0);
  /// Clear all that is active of a rule, service or node.
  Result<void> clear_all(storage::Transaction& transaction, const AlarmOwner& owner, Time at,
                         std::string_view why);
  /// Clear all that is active of a source in a project.
  Result<void> clear_all(storage::Transaction& transaction, access::ProjectId project,
                         std::string_view source, Time at, std::string_view why);
  /// Tell open event streams, after the commit, that a rule was made, changed or removed.
  void rule_changed(storage::Transaction& transaction, const AlarmRule& rule);

 private:
  Result<void> apply_one(storage::Transaction& transaction, const fleet::EdgeNode& node,
                         const fleet::NumberedTransition& numbered);
  Result<void> clear_one(storage::Transaction& transaction, Alarm alarm, Time at,
                         std::string_view why, std::int64_t number);
  Result<void> record(storage::Transaction& transaction, const Alarm& alarm);
  rbac::Authorizer& authorizer_;
  platform::LiveEvents& live_;
  Env env_;
  std::function<void()> wake_;
};

/// Gives each edge node the rules on its own services and those on every service of its project, as
/// the resource "alarm-rules".
class ECP_EXPORT AlarmRuleSource final : public fleet::DesiredSource {
 public:
  ~AlarmRuleSource() override;
  Result<std::vector<fleet::DesiredResource>> resources(storage::Transaction& transaction,
                                                        const fleet::EdgeNode& node) override;
};

/// Name of that resource.
inline constexpr std::string_view alarm_rules_resource = "alarm-rules";

}  // namespace ecp::inline v0::alarm
