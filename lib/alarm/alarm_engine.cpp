// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_engine.hpp>

#include <algorithm>
#include <charconv>

#include <ecp/alarm/alarm_rule_store.hpp>
#include <ecp/alarm/notifier.hpp>
#include <ecp/alarm/operations.hpp>
#include <ecp/alarm/webhook_store.hpp>
#include <ecp/core/json.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/platform/live_events.hpp>
#include <ecp/platform/outbox.hpp>
#include <ecp/rbac/authorizer.hpp>

#include "alarm/notice.hpp"

namespace ecp::inline v0::alarm {

namespace {

constexpr std::string_view task = "alarm";

std::string key_of(AlarmRuleId rule, fleet::EdgeServiceId service) {
  return "rule:" + rule.to_string() + "/" + service.to_string();
}
std::string key_of(fleet::EdgeNodeId node) { return "offline:" + node.to_string(); }
std::string key_of(fleet::EdgeServiceId service) { return "failed:" + service.to_string(); }

/// Shortest text that reads back as the same number.
std::string number_text(double number) {
  char text[32];
  const auto end = std::to_chars(text, text + sizeof text, number).ptr;
  return {text, end};
}

std::string value_message(const AlarmRule& rule, double value) {
  return rule.condition.tag + " is " + number_text(value) +
         (rule.condition.above ? ", above " : ", below ") + number_text(rule.condition.threshold);
}

Alarm threshold_alarm(const AlarmRule& rule, const fleet::EdgeNode& node,
                      const fleet::EdgeService& service,
                      const fleet::NumberedTransition& numbered) {
  const auto& transition = numbered.transition;
  Alarm alarm;
  alarm.organization = rule.organization;
  alarm.project = rule.project;
  alarm.source = sources::threshold;
  alarm.key = key_of(rule.id, service.id);
  alarm.name = rule.name;
  alarm.severity = rule.severity;
  alarm.rule = rule.id;
  alarm.node = node.id;
  alarm.service = service.id;
  alarm.tag = rule.condition.tag;
  alarm.subject = service.name + " " + rule.condition.tag;
  alarm.message = value_message(rule, transition.value);
  alarm.value = transition.value;
  alarm.late = transition.late;
  alarm.raised_at = transition.at;
  alarm.raised_number = numbered.number;
  return alarm;
}

bool is_on(const AlarmRule& rule, const fleet::EdgeService& service) {
  if (rule.condition.service.is_nil()) return rule.project == service.project;
  return rule.condition.service == service.id;
}

bool is_over(link::ServiceState state) {
  return state == link::ServiceState::running || state == link::ServiceState::degraded ||
         state == link::ServiceState::stopped;
}

}  // namespace

AlarmEngine::AlarmEngine(rbac::Authorizer& authorizer, platform::LiveEvents& live, Env env)
    : authorizer_(authorizer), live_(live), env_(env) {}
AlarmEngine::~AlarmEngine() = default;

Result<void> AlarmEngine::apply(storage::Transaction& transaction, const fleet::EdgeNode& node,
                                std::span<const fleet::NumberedTransition> transitions) {
  for (const auto& numbered : transitions) {
    ECP_TRY_VOID(apply_one(transaction, node, numbered));
  }
  return {};
}

Result<void> AlarmEngine::apply_one(storage::Transaction& transaction, const fleet::EdgeNode& node,
                                    const fleet::NumberedTransition& numbered) {
  const auto& transition = numbered.transition;
  ECP_TRY(const auto rule, transaction.get<AlarmRuleStore>().find(transition.rule));
  if (!rule) return {};  // Removed meanwhile.
  ECP_TRY(const auto service, transaction.get<fleet::EdgeServiceStore>().find(transition.service));
  if (!service || service->node != node.id) return {};  // A node speaks for its own services only.
  if (!is_on(*rule, *service)) return {};

  const auto key = key_of(rule->id, service->id);
  const bool current = transition.rule_revision == to_number(rule->condition_revision);
  if (!transition.raised) {
    if (!current) return {};  // Was cleared here when the rule changed.
    return clear(transaction, key, transition.at, value_message(*rule, transition.value),
                 numbered.number);
  }
  ECP_TRY(const auto active, transaction.get<AlarmStore>().find_active(key));
  if (active) return {};
  ECP_TRY_VOID(raise(transaction, threshold_alarm(*rule, node, *service, numbered)));
  if (current) return {};
  // It happened under the rule as it was before it changed: over since then at the latest.
  return clear(transaction, key, std::max(transition.at, rule->condition_at),
               "the alarm rule was changed");
}

Result<void> AlarmEngine::node_absent(storage::Transaction& transaction,
                                      const fleet::EdgeNode& node, Time since) {
  ECP_TRY(const auto settings, transaction.get<AlarmSettingsStore>().get(node.project));
  if (!settings.node_offline) return {};
  Alarm alarm;
  alarm.organization = node.organization;
  alarm.project = node.project;
  alarm.source = sources::node_offline;
  alarm.key = key_of(node.id);
  alarm.name = "edge node offline";
  alarm.severity = Severity::critical;
  alarm.node = node.id;
  alarm.subject = node.name;
  alarm.message = "edge node " + node.name + " has not been heard since " + to_rfc3339(since);
  alarm.raised_at = env_.clock.now();
  return raise(transaction, std::move(alarm));
}

Result<void> AlarmEngine::node_returned(storage::Transaction& transaction,
                                        const fleet::EdgeNode& node, Time at) {
  return clear(transaction, key_of(node.id), at, "edge node " + node.name + " is heard again");
}

Result<void> AlarmEngine::service_state_changed(storage::Transaction& transaction,
                                                const fleet::EdgeNode& node,
                                                const fleet::EdgeService& service,
                                                link::ServiceState /*before*/, Time at) {
  const auto state = service.status.state;
  if (is_over(state)) {
    return clear(transaction, key_of(service.id), at,
                 "edge service " + service.name + " is " + std::string(to_string(state)));
  }
  if (state != link::ServiceState::failed) return {};
  ECP_TRY(const auto settings, transaction.get<AlarmSettingsStore>().get(service.project));
  if (!settings.service_failed) return {};
  Alarm alarm;
  alarm.organization = service.organization;
  alarm.project = service.project;
  alarm.source = sources::service_failed;
  alarm.key = key_of(service.id);
  alarm.name = "edge service failed";
  alarm.severity = Severity::critical;
  alarm.node = node.id;
  alarm.service = service.id;
  alarm.subject = service.name;
  alarm.message = "edge service " + service.name + " on edge node " + node.name + " has failed" +
                  (service.status.reason.empty() ? "" : ": " + service.status.reason);
  alarm.raised_at = at;
  return raise(transaction, std::move(alarm));
}

Result<void> AlarmEngine::node_removed(storage::Transaction& transaction,
                                       const fleet::EdgeNode& node) {
  ECP_TRY(const auto services, transaction.get<fleet::EdgeServiceStore>().list_of_node(node.id));
  for (const auto& service : services) ECP_TRY_VOID(service_removed(transaction, service));
  return clear_all(transaction, AlarmOwner{{}, {}, node.id}, env_.clock.now(),
                   "edge node " + node.name + " was removed");
}

Result<void> AlarmEngine::service_removed(storage::Transaction& transaction,
                                          const fleet::EdgeService& service) {
  ECP_TRY_VOID(transaction.get<AlarmRuleStore>().remove_of_service(service.id));
  return clear_all(transaction, AlarmOwner{{}, service.id, {}}, env_.clock.now(),
                   "edge service " + service.name + " was removed");
}

Result<void> AlarmEngine::scope_removed(storage::Transaction& transaction,
                                        const access::Scope& scope) {
  ECP_TRY_VOID(transaction.get<AlarmRuleStore>().remove_of_project(scope.project));
  ECP_TRY_VOID(transaction.get<AlarmSettingsStore>().remove(scope.project));
  ECP_TRY_VOID(transaction.get<AlarmStore>().remove_of_project(scope.project));
  ECP_TRY_VOID(transaction.get<WebhookStore>().remove_of_project(scope.project));
  return transaction.get<platform::OutboxStore>().remove_scope(scope);
}

Result<void> AlarmEngine::raise(storage::Transaction& transaction, Alarm alarm) {
  alarm.id = env_.ids.next<AlarmId>();
  alarm.state = AlarmState::active;
  ECP_TRY(const bool is_new, transaction.get<AlarmStore>().raise(alarm));
  if (!is_new) return {};
  return record(transaction, alarm);
}

Result<void> AlarmEngine::clear(storage::Transaction& transaction, std::string_view key, Time at,
                                std::string_view why, std::int64_t number) {
  ECP_TRY(auto alarm, transaction.get<AlarmStore>().find_active(key));
  if (!alarm) return {};
  return clear_one(transaction, std::move(*alarm), at, why, number);
}

Result<void> AlarmEngine::clear_all(storage::Transaction& transaction, const AlarmOwner& owner,
                                    Time at, std::string_view why) {
  ECP_TRY(const auto alarms, transaction.get<AlarmStore>().list_active(owner));
  for (const auto& alarm : alarms) ECP_TRY_VOID(clear_one(transaction, alarm, at, why, 0));
  return {};
}

Result<void> AlarmEngine::clear_all(storage::Transaction& transaction, access::ProjectId project,
                                    std::string_view source, Time at, std::string_view why) {
  ECP_TRY(const auto alarms, transaction.get<AlarmStore>().list_active(project, source));
  for (const auto& alarm : alarms) ECP_TRY_VOID(clear_one(transaction, alarm, at, why, 0));
  return {};
}

Result<void> AlarmEngine::clear_one(storage::Transaction& transaction, Alarm alarm, Time at,
                                    std::string_view why, std::int64_t number) {
  alarm.state = AlarmState::cleared;
  alarm.cleared_at = at;
  alarm.clear_message = why;
  alarm.cleared_number = number;
  ECP_TRY(const bool was_active, transaction.get<AlarmStore>().clear(alarm));
  if (!was_active) return {};
  alarm.revision = next(alarm.revision);
  return record(transaction, alarm);
}

/// Audit entry, notices and the live event of a transition that was just stored.
Result<void> AlarmEngine::record(storage::Transaction& transaction, const Alarm& alarm) {
  const bool raised = alarm.state == AlarmState::active;
  const auto grant = authorizer_.system(task, alarm.scope());
  ECP_TRY_VOID(audit::append(transaction, grant,
                             raised ? operations::alarm_raise : operations::alarm_clear,
                             {"alarm", alarm.id.to_string(), alarm.name},
                             {{"source", alarm.source},
                              {"subject", alarm.subject},
                              {"message", raised ? alarm.message : alarm.clear_message}}));
  ECP_TRY(const auto webhooks, transaction.get<WebhookStore>().list_ids(alarm.project));
  for (const auto webhook : webhooks) {
    platform::OutboxItem item;
    item.id = env_.ids.next<platform::OutboxId>();
    item.kind = webhook_outbox_kind;
    item.scope = alarm.scope();
    item.due = env_.clock.now();
    item.payload_json = to_json(Notice{webhook, item.due, notice_body(item.id, alarm)});
    ECP_TRY_VOID(transaction.get<platform::OutboxStore>().insert(item));
  }
  const bool has_notices = !webhooks.empty();
  transaction.after_commit([this, has_notices, scope = alarm.scope(), text = to_json(alarm)] {
    live_.publish(scope, "alarm", text);
    if (has_notices && wake_) wake_();
  });
  return {};
}

void AlarmEngine::rule_changed(storage::Transaction& transaction, const AlarmRule& rule) {
  json::Writer writer;
  writer.begin_object().field("id", rule.id.to_string()).end_object();
  transaction.after_commit([this, scope = rule.scope(), text = writer.take()] {
    live_.publish(scope, "alarm_rule", text);
  });
}

AlarmRuleSource::~AlarmRuleSource() = default;

Result<std::vector<fleet::DesiredResource>> AlarmRuleSource::resources(
    storage::Transaction& transaction, const fleet::EdgeNode& node) {
  ECP_TRY(const auto services, transaction.get<fleet::EdgeServiceStore>().list_of_node(node.id));
  link::EdgeAlarmRules wanted;
  for (const auto& service : services) {
    ECP_TRY(const auto rules, transaction.get<AlarmRuleStore>().list_enabled(service.id));
    for (const auto& rule : rules) wanted.rules.push_back(edge_rule(rule));
  }
  ECP_TRY(const auto everywhere,
          transaction.get<AlarmRuleStore>().list_enabled_everywhere(node.project));
  for (const auto& rule : everywhere) wanted.rules.push_back(edge_rule(rule));
  std::vector<fleet::DesiredResource> resources;
  resources.push_back({std::string(alarm_rules_resource), link::to_json(wanted)});
  return resources;
}

}  // namespace ecp::inline v0::alarm
