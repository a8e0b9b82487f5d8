// SPDX-License-Identifier: Apache-2.0
#include <functional>

#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/alarm/alarm_rule_registry.hpp>
#include <ecp/alarm/webhook_registry.hpp>

#include "unit/alarm/alarm_world.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
namespace permissions = access::permissions;

struct Desk : AlarmWorld {
  alarm::AlarmRegistry alarm_list{*store};
  alarm::AlarmRuleRegistry rules{*store, desired, engine, world.env()};
  alarm::WebhookRegistry webhooks{*store, sealing, {}, world.env()};
};

/// One call of a registry and the permission that it needs.
struct Row {
  const char* name;
  const access::Permission* permission;
  std::function<ErrorCode(Desk&, const access::Grant&)> call;
};

template <class T>
ErrorCode code_of(const Result<T>& outcome) {
  return outcome ? ErrorCode::internal : outcome.error().code();  // Internal stands for success.
}

const std::vector<Row> table{
    {"AlarmRegistry::get", &permissions::alarm_view,
     [](Desk& d, const auto& grant) { return code_of(d.alarm_list.get(grant, {})); }},
    {"AlarmRegistry::list", &permissions::alarm_view,
     [](Desk& d, const auto& grant) { return code_of(d.alarm_list.list(grant, {}, {})); }},
    {"AlarmRuleRegistry::create", &permissions::alarm_rule_edit,
     [](Desk& d, const auto& grant) { return code_of(d.rules.create(grant, {})); }},
    {"AlarmRuleRegistry::get", &permissions::alarm_rule_view,
     [](Desk& d, const auto& grant) { return code_of(d.rules.get(grant, {})); }},
    {"AlarmRuleRegistry::list", &permissions::alarm_rule_view,
     [](Desk& d, const auto& grant) { return code_of(d.rules.list(grant, {}, {})); }},
    {"AlarmRuleRegistry::update", &permissions::alarm_rule_edit,
     [](Desk& d, const auto& grant) { return code_of(d.rules.update(grant, {}, {}, {})); }},
    {"AlarmRuleRegistry::remove", &permissions::alarm_rule_edit,
     [](Desk& d, const auto& grant) { return code_of(d.rules.remove(grant, {}, {})); }},
    {"AlarmRuleRegistry::settings", &permissions::alarm_rule_view,
     [](Desk& d, const auto& grant) { return code_of(d.rules.settings(grant)); }},
    {"AlarmRuleRegistry::set_settings", &permissions::alarm_rule_edit,
     [](Desk& d, const auto& grant) { return code_of(d.rules.set_settings(grant, {})); }},
    {"WebhookRegistry::create", &permissions::alarm_webhook_edit,
     [](Desk& d, const auto& grant) { return code_of(d.webhooks.create(grant, {})); }},
    {"WebhookRegistry::get", &permissions::alarm_webhook_view,
     [](Desk& d, const auto& grant) { return code_of(d.webhooks.get(grant, {})); }},
    {"WebhookRegistry::list", &permissions::alarm_webhook_view,
     [](Desk& d, const auto& grant) { return code_of(d.webhooks.list(grant, {})); }},
    {"WebhookRegistry::update", &permissions::alarm_webhook_edit,
     [](Desk& d, const auto& grant) { return code_of(d.webhooks.update(grant, {}, {}, {})); }},
    {"WebhookRegistry::remove", &permissions::alarm_webhook_edit,
     [](Desk& d, const auto& grant) { return code_of(d.webhooks.remove(grant, {}, {})); }},
};

TEST_SUITE("alarm.permissions") {
  TEST_CASE("each use-case needs its own permission and takes no other for it [R13]") {
    Desk desk;
    for (const auto& row : table) {
      CAPTURE(row.name);
      std::vector<const access::Permission*> others;
      for (const auto* const one : permissions::all) {
        if (one != row.permission) others.push_back(one);
      }
      const auto without = desk.authorizer.system("test", desk.scope, others);
      const std::array only{row.permission};
      const auto with = desk.authorizer.system("test", desk.scope, only);

      CHECK(row.call(desk, without) == ErrorCode::permission_denied);
      CHECK(row.call(desk, with) != ErrorCode::permission_denied);
    }
  }

  TEST_CASE("each refusal is an audit entry of its own [R34]") {
    Desk desk;
    const auto nothing =
        desk.authorizer.system("test", desk.scope, std::array{&permissions::alarm_view});

    CHECK_FALSE(desk.rules.create(nothing, {}));
    CHECK_FALSE(desk.webhooks.remove(nothing, {}, {}));

    CHECK(desk.audited().size() == 2);
  }
}

}  // namespace
}  // namespace ecp_test
