// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_engine.hpp>

#include <ecp/fleet/edge_node_store.hpp>

namespace ecp::inline v0::alarm {

namespace {

std::string key_of(fleet::EnrollmentTokenId token) { return "token:" + token.to_string(); }

Alarm critical_alarm(const access::Scope& scope, std::string_view source, std::string key) {
  Alarm alarm;
  alarm.organization = scope.organization;
  alarm.project = scope.project;
  alarm.source = source;
  alarm.key = std::move(key);
  alarm.severity = Severity::critical;
  return alarm;
}

}  // namespace

Result<void> AlarmEngine::token_used_again(storage::Transaction& transaction,
                                           const fleet::EnrollmentToken& token) {
  auto alarm = critical_alarm({token.organization, token.project}, sources::token_used_again,
                              key_of(token.id));
  alarm.name = "enrollment token used again";
  alarm.subject = token.name;
  alarm.message = "a machine with another key tried the used-up enrollment token " + token.name +
                  "; the audit log has its address";
  alarm.raised_at = env_.clock.now();
  return raise(transaction, std::move(alarm));
}

Result<void> AlarmEngine::token_removed(storage::Transaction& transaction,
                                        const fleet::EnrollmentToken& token) {
  return clear(transaction, key_of(token.id), env_.clock.now(),
               "enrollment token " + token.name + " was removed");
}

Result<void> AlarmEngine::identity_doubled(storage::Transaction& transaction,
                                           const fleet::EdgeNode& node, Time at) {
  auto alarm =
      critical_alarm(node.scope(), sources::identity_doubled, "identity:" + node.id.to_string());
  alarm.name = "edge node identity used twice";
  alarm.node = node.id;
  alarm.subject = node.name;
  alarm.message = "two machines connect in turn as edge node " + node.name +
                  "; the broker's log has their addresses; revoke it and enroll the right one anew";
  alarm.raised_at = at;
  return raise(transaction, std::move(alarm));
}

Result<void> AlarmEngine::database_restored(storage::Transaction& transaction,
                                            const fleet::EdgeNode& node, Time at) {
  auto alarm = critical_alarm(node.scope(), sources::platform_restored,
                              "restored:" + node.project.to_string());
  alarm.name = "control plane restored from a backup";
  alarm.subject = node.name;
  alarm.message = "edge node " + node.name +
                  " has proven that the control plane was restored from a backup; changes made "
                  "since the backup are lost, enrollment tokens made before now work no more";
  alarm.raised_at = at;
  return raise(transaction, std::move(alarm));
}

Result<void> AlarmEngine::sweep(storage::Transaction& transaction) {
  const auto now = env_.clock.now();
  auto& alarms = transaction.get<AlarmStore>();
  for (const auto source : {sources::token_used_again, sources::platform_restored}) {
    ECP_TRY(const auto active, alarms.list_active_everywhere(source));
    for (const auto& alarm : active) {
      if (now - alarm.raised_at < trust_alarm_life) continue;
      ECP_TRY_VOID(clear_one(transaction, alarm, now, "a day has passed", 0));
    }
  }
  ECP_TRY(const auto doubled, alarms.list_active_everywhere(sources::identity_doubled));
  for (const auto& alarm : doubled) {
    ECP_TRY(const auto node, transaction.get<fleet::EdgeNodeStore>().find(alarm.node));
    const auto* const flips = node ? &node->status.flips : nullptr;
    const auto last = flips != nullptr && !flips->empty() ? flips->back() : alarm.raised_at;
    if (now - last < identity_quiet) continue;
    ECP_TRY_VOID(clear_one(transaction, alarm, now, "one machine alone for 15 minutes", 0));
  }
  return {};
}

}  // namespace ecp::inline v0::alarm
