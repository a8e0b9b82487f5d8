// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_rule_registry.hpp>

#include <cmath>

#include <ecp/access/permissions.hpp>
#include <ecp/alarm/alarm_engine.hpp>
#include <ecp/alarm/operations.hpp>
#include <ecp/alarm/reasons.hpp>
#include <ecp/core/reasons.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::alarm {

namespace permissions = access::permissions;

namespace {

constexpr Milliseconds longest_hold{24LL * 3'600'000};

Error bad_field(std::string_view field, std::string_view problem) {
  return Error(ecp::reasons::bad_field,
               {{"field", std::string(field)}, {"problem", std::string(problem)}});
}

Result<void> check_condition(const Condition& condition) {
  if (!std::isfinite(condition.threshold)) return bad_field("threshold", "is not a finite number");
  if (!std::isfinite(condition.hysteresis) || condition.hysteresis < 0) {
    return bad_field("hysteresis", "must be 0 or more");
  }
  if (condition.hold < Milliseconds(0) || condition.hold > longest_hold) {
    return bad_field("for_ms", "must be between 0 and 86400000");
  }
  return {};
}

/// The tag must be one whose values can be compared with a number.
Result<void> check_tag(const fleet::EdgeService& service, const std::string& tag) {
  if (service.kind != "pipeline") return {};  // Another product's tags are known to it alone.
  ECP_TRY(const auto config, kind::parse_pipeline_config(service.config_json));
  const auto* const found = kind::find_tag(config, tag);
  if (found == nullptr || found->type == kind::TagType::text ||
      found->type == kind::TagType::boolean) {
    return Error(reasons::unknown_tag, {{"tag", tag}});
  }
  return {};
}

/// A rule on every service may name a tag that none has yet.
Result<void> check_service(storage::Transaction& transaction, access::ProjectId project,
                           const Condition& condition) {
  if (condition.service.is_nil()) return {};
  ECP_TRY(const auto service,
          transaction.get<fleet::EdgeServiceStore>().get(project, condition.service));
  return check_tag(service, condition.tag);
}

/// Have the nodes that judge a rule get their rules anew.
Result<void> touch_nodes(storage::Transaction& transaction, fleet::DesiredEngine& desired,
                         const AlarmRule& rule) {
  const auto service = rule.condition.service;
  if (service.is_nil()) return desired.touch_project(transaction, rule.project);
  ECP_TRY(const auto found, transaction.get<fleet::EdgeServiceStore>().find(service));
  if (!found) return {};
  return desired.touch(transaction, found->node);
}

audit::Subject subject_of(const AlarmRule& rule) {
  return {"alarm_rule", rule.id.to_string(), rule.name};
}

audit::Details details_of(const AlarmRule& rule) {
  const auto service = rule.condition.service;
  return {{"service", service.is_nil() ? "every" : service.to_string()},
          {"tag", rule.condition.tag},
          {"condition", link::to_json(link::EdgeAlarmRules{{edge_rule(rule)}})},
          {"severity", std::string(to_string(rule.severity))},
          {"enabled", rule.enabled ? "true" : "false"}};
}

/// Put the wished changes into a rule; true when the edge must judge it anew.
bool apply_changes(AlarmRule& rule, const AlarmRuleRegistry::Changes& changes) {
  const auto before = rule.condition;
  const bool was_enabled = rule.enabled;
  if (changes.name) rule.name = *changes.name;
  if (changes.above) rule.condition.above = *changes.above;
  if (changes.threshold) rule.condition.threshold = *changes.threshold;
  if (changes.hysteresis) rule.condition.hysteresis = *changes.hysteresis;
  if (changes.hold) rule.condition.hold = *changes.hold;
  if (changes.severity) rule.severity = *changes.severity;
  if (changes.enabled) rule.enabled = *changes.enabled;
  return rule.condition != before || rule.enabled != was_enabled;
}

}  // namespace

AlarmRuleRegistry::AlarmRuleRegistry(storage::Store& store, fleet::DesiredEngine& desired,
                                     AlarmEngine& alarms, Env env)
    : store_(store), desired_(desired), alarms_(alarms), env_(env) {}

Result<AlarmRule> AlarmRuleRegistry::create(const access::Grant& grant, const NewRule& wanted) {
  ECP_TRY_VOID(grant.require(permissions::alarm_rule_edit, grant.scope()));
  ECP_TRY_VOID(fleet::check_name("name", wanted.name));
  ECP_TRY_VOID(check_condition(wanted.condition));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<AlarmRule> {
    const auto& scope = grant.scope();
    auto& rules = transaction.get<AlarmRuleStore>();
    ECP_TRY_VOID(check_service(transaction, scope.project, wanted.condition));
    ECP_TRY(const auto count, rules.count(scope.project));
    if (count >= static_cast<std::int64_t>(limits::alarm_rules_per_project)) {
      return Error(ecp::reasons::over_limit,
                   {{"what", "the number of alarm rules of the project"},
                    {"limit", std::to_string(limits::alarm_rules_per_project)}});
    }
    AlarmRule rule;
    rule.id = env_.ids.next<AlarmRuleId>();
    rule.organization = scope.organization;
    rule.project = scope.project;
    rule.name = wanted.name;
    rule.condition = wanted.condition;
    rule.severity = wanted.severity;
    rule.enabled = wanted.enabled;
    rule.created_at = rule.condition_at = env_.clock.now();
    ECP_TRY_VOID(rules.insert(rule));
    ECP_TRY_VOID(touch_nodes(transaction, desired_, rule));
    alarms_.rule_changed(transaction, rule);
    ECP_TRY_VOID(audit::append(transaction, grant, operations::alarm_rule_create, subject_of(rule),
                               details_of(rule)));
    return rule;
  });
}

Result<AlarmRule> AlarmRuleRegistry::get(const access::Grant& grant, AlarmRuleId id) {
  ECP_TRY_VOID(grant.require(permissions::alarm_rule_view, grant.scope()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<AlarmRuleStore>().get(grant.scope().project, id);
  });
}

Result<Page<AlarmRule>> AlarmRuleRegistry::list(const access::Grant& grant, AlarmRuleQuery query,
                                                PageRequest page) {
  ECP_TRY_VOID(grant.require(permissions::alarm_rule_view, grant.scope()));
  query.project = grant.scope().project;
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<AlarmRuleStore>().list(query, page);
  });
}

Result<AlarmRule> AlarmRuleRegistry::update(const access::Grant& grant, AlarmRuleId id,
                                            Revision revision, const Changes& changes) {
  ECP_TRY_VOID(grant.require(permissions::alarm_rule_edit, grant.scope()));
  if (changes.name) ECP_TRY_VOID(fleet::check_name("name", *changes.name));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<AlarmRule> {
    auto& rules = transaction.get<AlarmRuleStore>();
    ECP_TRY(auto rule, rules.get(grant.scope().project, id));
    rule.revision = revision;
    const bool judge_anew = apply_changes(rule, changes);
    ECP_TRY_VOID(check_condition(rule.condition));
    if (judge_anew) {
      rule.condition_revision = next(revision);
      rule.condition_at = env_.clock.now();
    }
    ECP_TRY(rule.revision, rules.update(rule));
    if (judge_anew) {
      ECP_TRY_VOID(alarms_.clear_all(transaction, AlarmOwner{rule.id, {}, {}}, rule.condition_at,
                                     "the alarm rule was changed"));
      ECP_TRY_VOID(touch_nodes(transaction, desired_, rule));
    }
    alarms_.rule_changed(transaction, rule);
    ECP_TRY_VOID(audit::append(transaction, grant, operations::alarm_rule_update, subject_of(rule),
                               details_of(rule)));
    return rule;
  });
}

Result<void> AlarmRuleRegistry::remove(const access::Grant& grant, AlarmRuleId id,
                                       Revision revision) {
  ECP_TRY_VOID(grant.require(permissions::alarm_rule_edit, grant.scope()));
  return access::write(store_, grant, [&](storage::Transaction& transaction) -> Result<void> {
    auto& rules = transaction.get<AlarmRuleStore>();
    ECP_TRY(const auto rule, rules.get(grant.scope().project, id));
    if (rule.revision != revision) {
      return Error(ecp::reasons::stale_revision, {{"noun", "alarm rule"}});
    }
    ECP_TRY_VOID(alarms_.clear_all(transaction, AlarmOwner{rule.id, {}, {}}, env_.clock.now(),
                                   "the alarm rule was removed"));
    ECP_TRY_VOID(rules.remove(rule.project, rule.id));
    ECP_TRY_VOID(touch_nodes(transaction, desired_, rule));
    alarms_.rule_changed(transaction, rule);
    return audit::append(transaction, grant, operations::alarm_rule_remove, subject_of(rule));
  });
}

Result<AlarmSettings> AlarmRuleRegistry::settings(const access::Grant& grant) {
  ECP_TRY_VOID(grant.require(permissions::alarm_rule_view, grant.scope()));
  return store_.read([&](storage::Transaction& transaction) {
    return transaction.get<AlarmSettingsStore>().get(grant.scope().project);
  });
}

Result<AlarmSettings> AlarmRuleRegistry::set_settings(const access::Grant& grant,
                                                      const AlarmSettings& wanted) {
  ECP_TRY_VOID(grant.require(permissions::alarm_rule_edit, grant.scope()));
  return access::write(
      store_, grant, [&](storage::Transaction& transaction) -> Result<AlarmSettings> {
        const auto project = grant.scope().project;
        auto settings = wanted;
        ECP_TRY(settings.revision, transaction.get<AlarmSettingsStore>().put(project, wanted));
        const auto now = env_.clock.now();
        constexpr std::string_view why = "the built-in rule was switched off";
        if (!wanted.node_offline) {
          ECP_TRY_VOID(alarms_.clear_all(transaction, project, sources::node_offline, now, why));
        }
        if (!wanted.service_failed) {
          ECP_TRY_VOID(alarms_.clear_all(transaction, project, sources::service_failed, now, why));
        }
        ECP_TRY_VOID(audit::append(transaction, grant, operations::alarm_settings_update,
                                   {"alarm_settings", project.to_string(), ""},
                                   {{"node_offline", wanted.node_offline ? "true" : "false"},
                                    {"service_failed", wanted.service_failed ? "true" : "false"}}));
        return settings;
      });
}

}  // namespace ecp::inline v0::alarm
