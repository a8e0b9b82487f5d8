// SPDX-License-Identifier: Apache-2.0
#include <optional>
#include <string>

#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/alarm/alarm_rule_registry.hpp>
#include <ecp/alarm/webhook_registry.hpp>

#include "handles.hpp"

namespace ecp_python {

namespace {

namespace alarm = ecp::alarm;
using ecp::access::Grant;
using Alarms = alarm::AlarmRegistry;
using Rules = alarm::AlarmRuleRegistry;
using Webhooks = alarm::WebhookRegistry;
using OptionalText = std::optional<std::string>;

void bind_alarm_records(py::module_& m) {
  py::enum_<alarm::Severity>(m, "Severity", docstring("alarm::Severity"))
      .value("normal", alarm::Severity::normal)
      .value("critical", alarm::Severity::critical);
  py::enum_<alarm::AlarmState>(m, "AlarmState", docstring("alarm::AlarmState"))
      .value("active", alarm::AlarmState::active)
      .value("cleared", alarm::AlarmState::cleared);
  Record<alarm::Alarm>(m, "Alarm", "alarm::Alarm")
      .field("id", &alarm::Alarm::id)
      .field("source", &alarm::Alarm::source)
      .field("name", &alarm::Alarm::name)
      .field("severity", &alarm::Alarm::severity)
      .field("state", &alarm::Alarm::state)
      .field("rule", &alarm::Alarm::rule)
      .field("node", &alarm::Alarm::node)
      .field("service", &alarm::Alarm::service)
      .field("tag", &alarm::Alarm::tag)
      .field("subject", &alarm::Alarm::subject)
      .field("message", &alarm::Alarm::message)
      .field("value", &alarm::Alarm::value)
      .field("late", &alarm::Alarm::late)
      .field("raised_at", &alarm::Alarm::raised_at)
      .field("cleared_at", &alarm::Alarm::cleared_at)
      .field("clear_message", &alarm::Alarm::clear_message)
      .field("revision", &alarm::Alarm::revision)
      .method("scope", &alarm::Alarm::scope);
  Record<alarm::Condition>(m, "Condition", "alarm::Condition")
      .field("service", &alarm::Condition::service)
      .field("tag", &alarm::Condition::tag)
      .field("above", &alarm::Condition::above)
      .field("threshold", &alarm::Condition::threshold)
      .field("hysteresis", &alarm::Condition::hysteresis)
      .field("hold", &alarm::Condition::hold);
  Record<alarm::AlarmRule>(m, "AlarmRule", "alarm::AlarmRule")
      .field("id", &alarm::AlarmRule::id)
      .field("name", &alarm::AlarmRule::name)
      .field("condition", &alarm::AlarmRule::condition)
      .field("severity", &alarm::AlarmRule::severity)
      .field("enabled", &alarm::AlarmRule::enabled)
      .field("revision", &alarm::AlarmRule::revision)
      .field("created_at", &alarm::AlarmRule::created_at)
      .method("scope", &alarm::AlarmRule::scope);
  Record<alarm::AlarmSettings>(m, "AlarmSettings", "alarm::AlarmSettings")
      .field("node_offline", &alarm::AlarmSettings::node_offline)
      .field("service_failed", &alarm::AlarmSettings::service_failed)
      .field("revision", &alarm::AlarmSettings::revision);
  Record<alarm::Webhook>(m, "Webhook", "alarm::Webhook")
      .field("id", &alarm::Webhook::id)
      .field("name", &alarm::Webhook::name)
      .field("url", &alarm::Webhook::url)
      .field("revision", &alarm::Webhook::revision)
      .field("created_at", &alarm::Webhook::created_at)
      .field("delivered_at", &alarm::Webhook::delivered_at)
      .field("last_error", &alarm::Webhook::last_error);
}

void bind_alarms(py::module_& m) {
  RegistryClass<Alarms>(m, "AlarmRegistry", "alarm::AlarmRegistry")
      .method("get", granted(&Alarms::get), "id"_a)
      .method(
          "list",
          [](const Reached<Alarms>& self, std::optional<alarm::AlarmState> state,
             std::optional<alarm::Severity> severity, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Alarms& registry, const Grant& grant) {
              return registry.list(grant, {{}, state, severity}, page(limit, offset));
            });
          },
          "state"_a = py::none(), "severity"_a = py::none(), "limit"_a = 50, "offset"_a = 0);
}

void bind_rules(py::module_& m) {
  RegistryClass<Rules> rules(m, "AlarmRuleRegistry", "alarm::AlarmRuleRegistry");
  rules
      .method(
          "create",
          [](const Reached<Rules>& self, std::string name, std::string tag, double threshold,
             std::optional<ecp::link::EdgeServiceId> service, bool above, double hysteresis,
             ecp::Milliseconds hold, alarm::Severity severity, bool enabled) {
            alarm::Condition condition{service.value_or(ecp::link::EdgeServiceId()),
                                       std::move(tag),
                                       above,
                                       threshold,
                                       hysteresis,
                                       hold};
            return self.call([&](Rules& registry, const Grant& grant) {
              return registry.create(grant,
                                     {std::move(name), std::move(condition), severity, enabled});
            });
          },
          "name"_a, "tag"_a, "threshold"_a, "service"_a = py::none(), "above"_a = true,
          "hysteresis"_a = 0.0, "hold"_a = ecp::Milliseconds(0),
          "severity"_a = alarm::Severity::normal, "enabled"_a = true)
      .method("get", granted(&Rules::get), "id"_a)
      .method(
          "list",
          [](const Reached<Rules>& self, std::optional<ecp::link::EdgeServiceId> service,
             std::int64_t limit, std::int64_t offset) {
            return self.call([&](Rules& registry, const Grant& grant) {
              return registry.list(grant, {{}, service}, page(limit, offset));
            });
          },
          "service"_a = py::none(), "limit"_a = 50, "offset"_a = 0)
      .method(
          "update",
          [](const Reached<Rules>& self, alarm::AlarmRuleId id, ecp::Revision revision,
             OptionalText name, std::optional<bool> above, std::optional<double> threshold,
             std::optional<double> hysteresis, std::optional<ecp::Milliseconds> hold,
             std::optional<alarm::Severity> severity, std::optional<bool> enabled) {
            const Rules::Changes changes{std::move(name), above,  threshold, hysteresis, hold,
                                         severity,        enabled};
            return self.call([&](Rules& registry, const Grant& grant) {
              return registry.update(grant, id, revision, changes);
            });
          },
          "id"_a, "revision"_a, "name"_a = py::none(), "above"_a = py::none(),
          "threshold"_a = py::none(), "hysteresis"_a = py::none(), "hold"_a = py::none(),
          "severity"_a = py::none(), "enabled"_a = py::none())
      .method("remove", granted(&Rules::remove), "id"_a, "revision"_a);
  rules.method("settings", granted(&Rules::settings))
      .method(
          "set_settings",
          [](const Reached<Rules>& self, bool node_offline, bool service_failed,
             ecp::Revision revision) {
            return self.call([&](Rules& registry, const Grant& grant) {
              return registry.set_settings(grant, {node_offline, service_failed, revision});
            });
          },
          "node_offline"_a, "service_failed"_a, "revision"_a);
}

void bind_webhooks(py::module_& m) {
  using ecp::Secret;
  RegistryClass<Webhooks>(m, "WebhookRegistry", "alarm::WebhookRegistry")
      .method(
          "create",
          [](const Reached<Webhooks>& self, std::string name, std::string url,
             const Secret& secret) {
            return self.call([&](Webhooks& registry, const Grant& grant) {
              return registry.create(grant, {std::move(name), std::move(url), secret.clone()});
            });
          },
          "name"_a, "url"_a, "secret"_a)
      .method("get", granted(&Webhooks::get), "id"_a)
      .method(
          "list",
          [](const Reached<Webhooks>& self, std::int64_t limit, std::int64_t offset) {
            return self.call([&](Webhooks& registry, const Grant& grant) {
              return registry.list(grant, page(limit, offset));
            });
          },
          "limit"_a = 50, "offset"_a = 0)
      .method(
          "update",
          [](const Reached<Webhooks>& self, alarm::WebhookId id, ecp::Revision revision,
             OptionalText name, OptionalText url, const Secret* secret) {
            Webhooks::Changes changes{std::move(name), std::move(url), {}};
            if (secret != nullptr) changes.secret = secret->clone();
            return self.call([&](Webhooks& registry, const Grant& grant) {
              return registry.update(grant, id, revision, changes);
            });
          },
          "id"_a, "revision"_a, "name"_a = py::none(), "url"_a = py::none(),
          "secret"_a = py::none())
      .method("remove", granted(&Webhooks::remove), "id"_a, "revision"_a);
}

}  // namespace

void bind_alarm(py::module_& m) {
  bind_id<alarm::AlarmId>(m, "AlarmId");
  bind_id<alarm::WebhookId>(m, "WebhookId");
  bind_alarm_records(m);
  bind_alarms(m);
  bind_rules(m);
  bind_webhooks(m);
}

}  // namespace ecp_python
