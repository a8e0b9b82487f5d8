// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A small fleet in memory for tests of alarm.

#include <array>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <ecp/access/permissions.hpp>
#include <ecp/alarm/alarm_engine.hpp>
#include <ecp/alarm/alarm_rule_store.hpp>
#include <ecp/alarm/notifier.hpp>
#include <ecp/alarm/webhook_store.hpp>
#include <ecp/audit/audit.hpp>
#include <ecp/audit/audit_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/fleet/desired.hpp>
#include <ecp/fleet/edge_node_store.hpp>
#include <ecp/fleet/edge_service_store.hpp>
#include <ecp/pki/signature.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/platform/live_events.hpp>
#include <ecp/platform/outbox.hpp>
#include <ecp/rbac/authorizer.hpp>
#include <ecp/storage/sql/access.hpp>
#include <ecp/storage/sql/alarm.hpp>
#include <ecp/storage/sql/audit.hpp>
#include <ecp/storage/sql/fleet.hpp>
#include <ecp/storage/sql/identity.hpp>
#include <ecp/storage/sql/platform.hpp>
#include <ecp/storage/sql/rbac.hpp>
#include <ecp/storage/sql/tenancy.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {

/// Two edge nodes, each with one pipeline service "furnace" that has the tag
/// drive/fast/temperature.
class AlarmWorld {
 public:
  AlarmWorld() {
    scope = {world.ids.next<ecp::access::OrganizationId>(),
             world.ids.next<ecp::access::ProjectId>()};
    node = add_node("gateway-1");
    service = add_service(node, "furnace-1");
    other_node = add_node("gateway-2");
    other_service = add_service(other_node, "furnace-2");
  }

  ecp::access::Grant grant() { return authorizer.system("test", scope); }
  ecp::access::Grant stranger() {
    return must(authorizer.authorize(
        {ecp::access::PrincipalKind::user, world.ids.next_bytes(), "session"}, scope, {}));
  }

  template <class Unit>
  auto write(Unit unit) {
    return store->write([&](ecp::storage::Transaction& transaction) { return unit(transaction); });
  }

  ecp::alarm::AlarmRule add_rule(double threshold = 80, bool is_everywhere = false) {
    ecp::alarm::AlarmRule rule;
    rule.id = world.ids.next<ecp::alarm::AlarmRuleId>();
    rule.organization = scope.organization;
    rule.project = scope.project;
    rule.name = "too hot " + std::to_string(++count_);
    if (!is_everywhere) rule.condition.service = service.id;
    rule.condition.tag = "drive/fast/temperature";
    rule.condition.threshold = threshold;
    rule.created_at = rule.condition_at = world.clock.now();
    must(write([&](auto& t) { return t.template get<ecp::alarm::AlarmRuleStore>().insert(rule); }));
    return rule;
  }

  ecp::fleet::NumberedTransition transition(const ecp::alarm::AlarmRule& rule, bool raised,
                                            double value) {
    ecp::link::Transition made;
    made.rule = rule.id;
    made.rule_revision = to_number(rule.condition_revision);
    made.service = rule.condition.service;
    made.tag = rule.condition.tag;
    made.raised = raised;
    made.at = world.clock.now();
    made.value = value;
    return {++count_, made};
  }

  ecp::Result<void> report(const ecp::fleet::EdgeNode& from,
                           const ecp::fleet::NumberedTransition& numbered) {
    return write([&](auto& t) { return engine.apply(t, from, {&numbered, 1}); });
  }

  std::vector<ecp::alarm::Alarm> alarms(std::optional<ecp::alarm::AlarmState> state = {}) {
    ecp::alarm::AlarmQuery query;
    query.project = scope.project;
    query.state = state;
    return must(write([&](auto& t) {
             return t.template get<ecp::alarm::AlarmStore>().list(query, {});
           }))
        .items;
  }
  std::size_t active() { return alarms(ecp::alarm::AlarmState::active).size(); }

  ecp::alarm::Webhook add_webhook(const std::string& name, const std::string& url,
                                  const std::string& secret = "0123456789abcdef") {
    ecp::alarm::Webhook webhook;
    webhook.id = world.ids.next<ecp::alarm::WebhookId>();
    webhook.organization = scope.organization;
    webhook.project = scope.project;
    webhook.name = name;
    webhook.url = url;
    webhook.sealed_secret =
        sealing.seal("alarm.webhook/" + webhook.id.to_string(), ecp::Secret(secret));
    must(
        write([&](auto& t) { return t.template get<ecp::alarm::WebhookStore>().insert(webhook); }));
    return webhook;
  }
  ecp::alarm::Webhook webhook(ecp::alarm::WebhookId id) {
    return must(write([&](auto& t) {
      return t.template get<ecp::alarm::WebhookStore>().get(scope.project, id);
    }));
  }
  std::int64_t waiting_notices() {
    return must(write([&](auto& t) {
      return t.template get<ecp::platform::OutboxStore>().count(ecp::alarm::webhook_outbox_kind);
    }));
  }

  std::vector<std::string> audited() {
    const auto page = must(write([&](auto& t) {
      return t.template get<ecp::audit::AuditStore>().list({scope, {}, {}, {}, {}, {}}, {200, 0});
    }));
    std::vector<std::string> operations;
    for (const auto& stored : page.items) operations.push_back(stored.entry.operation);
    return operations;
  }

  ecp::ManualEnv world;
  std::unique_ptr<ecp::storage::Store> store = must(MemoryBackend::open(modules(), world.env()));
  ecp::audit::DenialLog denials{*store, world.env()};

 private:
  static Modules modules() {
    static const std::array all{&ecp::storage::access_module(),  &ecp::storage::audit_module(),
                                &ecp::storage::tenancy_module(), &ecp::storage::identity_module(),
                                &ecp::storage::rbac_module(),    &ecp::storage::platform_module(),
                                &ecp::storage::fleet_module(),   &ecp::storage::alarm_module()};
    return all;
  }
  ecp::fleet::EdgeNode add_node(const std::string& name) {
    ecp::fleet::EdgeNode made;
    made.id = world.ids.next<ecp::fleet::EdgeNodeId>();
    made.organization = scope.organization;
    made.project = scope.project;
    made.name = name;
    must(write([&](auto& t) { return t.template get<ecp::fleet::EdgeNodeStore>().insert(made); }));
    return made;
  }
  ecp::fleet::EdgeService add_service(const ecp::fleet::EdgeNode& on, const std::string& name) {
    ecp::fleet::EdgeService made;
    made.id = world.ids.next<ecp::fleet::EdgeServiceId>();
    made.organization = scope.organization;
    made.project = scope.project;
    made.node = on.id;
    made.name = name;
    made.kind = "pipeline";
    made.runtime = "builtin";
    made.config_json =
        R"({"drivers":[{"name":"drive","type":"modbus-tcp","host":"10.0.0.5","groups":[)"
        R"({"name":"fast","interval_ms":100,"tags":[)"
        R"({"name":"temperature","address":"1!400001","type":"float32"},)"
        R"({"name":"label","address":"1!400010.4H","type":"text"}]}]}]})";
    must(write(
        [&](auto& t) { return t.template get<ecp::fleet::EdgeServiceStore>().insert(made); }));
    return made;
  }

  ecp::access::PermissionRegistry permissions_;
  std::int64_t count_ = 0;

 public:
  ecp::rbac::Authorizer authorizer{*store, permissions_, denials, world.env()};
  ecp::platform::LiveEvents live;
  ecp::platform::Sealing sealing =
      must(ecp::platform::Sealing::make(ecp::Secret(std::string(64, 'a')), world.env()));
  ecp::pki::SigningKey key = must(ecp::pki::SigningKey::generate());
  ecp::alarm::AlarmEngine engine{authorizer, live, world.env()};
  ecp::fleet::DesiredEngine desired{*store, key, engine, world.env()};
  ecp::access::Scope scope;
  ecp::fleet::EdgeNode node;
  ecp::fleet::EdgeNode other_node;
  ecp::fleet::EdgeService service;
  ecp::fleet::EdgeService other_service;
};

}  // namespace ecp_test
