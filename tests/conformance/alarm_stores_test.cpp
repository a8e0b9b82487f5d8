// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <string>
#include <vector>

#include <ecp/alarm/alarm_rule_store.hpp>
#include <ecp/alarm/alarm_store.hpp>
#include <ecp/alarm/webhook_store.hpp>
#include <ecp/core/env.hpp>
#include <ecp/storage/sql/alarm.hpp>

#include "support/backends.hpp"
#include "support/results.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using alarm::Alarm;
using alarm::AlarmRule;
using alarm::AlarmRuleStore;
using alarm::AlarmSettingsStore;
using alarm::AlarmStore;
using alarm::Webhook;
using alarm::WebhookStore;

const std::array modules{&storage::alarm_module()};

/// A fresh database and records to put in it.
struct Records {
  explicit Records(OpenedStore opened) : store(must(std::move(opened))) {}

  template <class Port, class Call>
  auto in(Call call) {
    return store->write(
        [&](storage::Transaction& transaction) { return call(transaction.get<Port>()); });
  }
  AlarmRule rule(const std::string& name) {
    AlarmRule made;
    made.id = world.ids.next<alarm::AlarmRuleId>();
    made.organization = organization;
    made.project = project;
    made.name = name;
    made.condition = {service, "d/g/t", false, -0.1, 2.5, Milliseconds(1500)};
    made.severity = alarm::Severity::critical;
    made.condition_at = made.created_at = world.clock.now();
    return made;
  }
  Alarm occurrence(const std::string& key) {
    Alarm made;
    made.id = world.ids.next<alarm::AlarmId>();
    made.organization = organization;
    made.project = project;
    made.source = alarm::sources::threshold;
    made.key = key;
    made.name = "too hot \xC3\xA4";
    made.service = service;
    made.subject = "s";
    made.message = "m";
    made.raised_at = world.clock.now();
    return made;
  }
  Webhook webhook(const std::string& name) {
    Webhook made;
    made.id = world.ids.next<alarm::WebhookId>();
    made.organization = organization;
    made.project = project;
    made.name = name;
    made.url = "https://example.com";
    made.sealed_secret = std::string("\0\xff'\x01", 4);
    made.created_at = world.clock.now();
    return made;
  }

  ManualEnv world;
  std::unique_ptr<storage::Store> store;
  access::OrganizationId organization = world.ids.next<access::OrganizationId>();
  access::ProjectId project = world.ids.next<access::ProjectId>();
  access::ProjectId foreign = world.ids.next<access::ProjectId>();
  link::EdgeServiceId service = world.ids.next<link::EdgeServiceId>();
};

template <class Backend>
Records open() {
  static ManualEnv world;
  return Records(Backend::open(modules, world.env()));
}

TEST_CASE_TEMPLATE("AlarmRuleStore: a rule comes back as it was stored", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  const auto rule = records.rule("too cold");

  must(records.template in<AlarmRuleStore>([&](auto& rules) { return rules.insert(rule); }));
  const auto read = must(records.template in<AlarmRuleStore>(
      [&](auto& rules) { return rules.get(records.project, rule.id); }));

  CHECK(read.name == rule.name);
  CHECK(read.condition == rule.condition);
  CHECK(read.severity == alarm::Severity::critical);
  CHECK(read.enabled);
  CHECK(read.revision == Revision::first);
  CHECK(read.created_at == rule.created_at);
}

TEST_CASE_TEMPLATE("AlarmRuleStore: rules on every service are listed by project alone", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  auto everywhere = records.rule("a");
  everywhere.condition.service = {};
  auto off = records.rule("b");
  off.condition.service = {};
  off.enabled = false;
  for (const auto& rule : {everywhere, off, records.rule("c")}) {
    must(records.template in<AlarmRuleStore>([&](auto& rules) { return rules.insert(rule); }));
  }
  const auto list = [&](access::ProjectId project) {
    return must(records.template in<AlarmRuleStore>(
        [&](auto& rules) { return rules.list_enabled_everywhere(project); }));
  };

  const auto found = list(records.project);
  REQUIRE(found.size() == 1);
  CHECK(found[0].condition == everywhere.condition);
  CHECK(list(records.foreign).empty());
  CHECK(must(records.template in<AlarmRuleStore>([&](auto& rules) {
          return rules.list_enabled(records.service);
        })).size() == 1);
}

TEST_CASE_TEMPLATE("AlarmRuleStore: names are taken once, ids of other projects are not found",
                   Backend, ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  const auto rule = records.rule("a");
  const auto second = records.rule("b");
  auto same_name = records.rule("a");
  must(records.template in<AlarmRuleStore>([&](auto& rules) { return rules.insert(rule); }));
  must(records.template in<AlarmRuleStore>([&](auto& rules) { return rules.insert(second); }));

  CHECK(failure(records.template in<AlarmRuleStore>(
            [&](auto& rules) { return rules.insert(same_name); })) == "core.name_taken");
  same_name.id = second.id;
  CHECK(failure(records.template in<AlarmRuleStore>(
            [&](auto& rules) { return rules.update(same_name); })) == "core.name_taken");
  CHECK(failure(records.template in<AlarmRuleStore>(
            [&](auto& rules) { return rules.get(records.foreign, rule.id); })) == "core.not_found");
  CHECK(failure(records.template in<AlarmRuleStore>([&](auto& rules) {
          return rules.remove(records.foreign, rule.id);
        })) == "core.not_found");
}

TEST_CASE_TEMPLATE("AlarmRuleStore: an update with a stale revision is a conflict", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  auto rule = records.rule("a");
  must(records.template in<AlarmRuleStore>([&](auto& rules) { return rules.insert(rule); }));
  const auto update = [&] {
    return records.template in<AlarmRuleStore>([&](auto& rules) { return rules.update(rule); });
  };

  rule.enabled = false;
  CHECK(must(update()) == Revision{2});
  CHECK(failure(update()) == "core.stale_revision");
  rule.project = records.foreign;
  CHECK(failure(update()) == "core.not_found");

  const auto enabled = must(records.template in<AlarmRuleStore>(
      [&](auto& rules) { return rules.list_enabled(records.service); }));
  CHECK(enabled.empty());
}

TEST_CASE_TEMPLATE("AlarmRuleStore: lists are ordered by name, paged and filtered by service",
                   Backend, ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  for (const auto* name : {"b", "c", "a"}) {
    const auto rule = records.rule(name);
    must(records.template in<AlarmRuleStore>([&](auto& rules) { return rules.insert(rule); }));
  }
  const auto list = [&](alarm::AlarmRuleQuery query, PageRequest page) {
    return must(
        records.template in<AlarmRuleStore>([&](auto& rules) { return rules.list(query, page); }));
  };

  const auto middle = list({records.project, {}}, {1, 1});
  CHECK(middle.total == 3);
  REQUIRE(middle.items.size() == 1);
  CHECK(middle.items[0].name == "b");
  CHECK(list({records.project, records.service}, {}).total == 3);
  CHECK(list({records.project, link::EdgeServiceId(IdBytes{1})}, {}).total == 0);
  CHECK(list({records.foreign, {}}, {}).total == 0);
}

TEST_CASE_TEMPLATE("AlarmSettingsStore: defaults hold until changed, stale changes are conflicts",
                   Backend, ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  const auto put = [&](alarm::AlarmSettings settings) {
    return records.template in<AlarmSettingsStore>(
        [&](auto& store) { return store.put(records.project, settings); });
  };
  const auto get = [&] {
    return must(records.template in<AlarmSettingsStore>(
        [&](auto& store) { return store.get(records.project); }));
  };

  CHECK(get().node_offline);
  CHECK(get().revision == Revision::none);
  CHECK(must(put({false, true, Revision::none})) == Revision::first);
  CHECK(failure(put({true, true, Revision::none})) == "core.stale_revision");
  CHECK(must(put({false, false, Revision::first})) == Revision{2});
  CHECK_FALSE(get().service_failed);
}

TEST_CASE_TEMPLATE("AlarmStore: one alarm is active for a key, and any number are history", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  const auto raise = [&](const Alarm& one) {
    return must(records.template in<AlarmStore>([&](auto& alarms) { return alarms.raise(one); }));
  };
  const auto clear = [&](Alarm one) {
    one.cleared_at = one.raised_at + Milliseconds(5);
    one.clear_message = "over";
    return must(records.template in<AlarmStore>([&](auto& alarms) { return alarms.clear(one); }));
  };
  auto first = records.occurrence("k");
  first.value = 81.25;
  auto second = records.occurrence("k");

  CHECK(raise(first));
  CHECK_FALSE(raise(second));
  CHECK(raise(records.occurrence("other")));
  CHECK(clear(first));
  CHECK_FALSE(clear(first));
  CHECK(raise(second));

  const auto history = must(records.template in<AlarmStore>(
      [&](auto& alarms) { return alarms.get(records.project, first.id); }));
  CHECK(history.state == alarm::AlarmState::cleared);
  CHECK(history.value == 81.25);
  CHECK(history.cleared_at == first.raised_at + Milliseconds(5));
  CHECK(history.clear_message == "over");
  CHECK(history.name == first.name);
  CHECK(must(records.template in<AlarmStore>(
            [&](auto& alarms) { return alarms.count_active(records.project); })) == 2);
}

TEST_CASE_TEMPLATE("AlarmStore: lists are filtered by state and severity, newest first", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  std::vector<Alarm> made;
  for (const auto* key : {"a", "b", "c"}) {
    made.push_back(records.occurrence(key));
    made.back().severity = made.size() == 2 ? alarm::Severity::critical : alarm::Severity::normal;
    must(records.template in<AlarmStore>([&](auto& alarms) { return alarms.raise(made.back()); }));
    records.world.clock.advance(Milliseconds(1));
  }
  made[0].cleared_at = records.world.clock.now();
  must(records.template in<AlarmStore>([&](auto& alarms) { return alarms.clear(made[0]); }));
  const auto list = [&](alarm::AlarmQuery query) {
    return must(records.template in<AlarmStore>([&](auto& alarms) {
      return alarms.list(query, {2, 0});
    }));
  };

  const auto all = list({records.project, {}, {}});
  CHECK(all.total == 3);
  REQUIRE(all.items.size() == 2);
  CHECK(all.items[0].id == made[2].id);
  CHECK(list({records.project, alarm::AlarmState::active, {}}).total == 2);
  CHECK(list({records.project, alarm::AlarmState::cleared, {}}).total == 1);
  CHECK(list({records.project, {}, alarm::Severity::critical}).total == 1);
  CHECK(list({records.foreign, {}, {}}).total == 0);
}

TEST_CASE_TEMPLATE("AlarmStore: what is active of a source is found in all projects", Backend,
                   ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  auto elsewhere = records.occurrence("b");
  elsewhere.project = records.foreign;
  auto other = records.occurrence("c");
  other.source = alarm::sources::token_used_again;
  auto over = records.occurrence("d");
  over.cleared_at = records.world.clock.now();
  for (const auto& made : {records.occurrence("a"), elsewhere, other, over}) {
    must(records.template in<AlarmStore>([&](auto& alarms) { return alarms.raise(made); }));
  }
  must(records.template in<AlarmStore>([&](auto& alarms) { return alarms.clear(over); }));
  const auto count = [&](std::string_view source) {
    return must(records.template in<AlarmStore>(
                    [&](auto& alarms) { return alarms.list_active_everywhere(source); }))
        .size();
  };

  CHECK(count(alarm::sources::threshold) == 2);
  CHECK(count(alarm::sources::token_used_again) == 1);
  CHECK(count(alarm::sources::platform_restored) == 0);
}

TEST_CASE_TEMPLATE("WebhookStore: octets of the secret survive, outcomes change no revision",
                   Backend, ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  auto webhook = records.webhook("shift");
  must(records.template in<WebhookStore>([&](auto& hooks) { return hooks.insert(webhook); }));
  CHECK(failure(records.template in<WebhookStore>([&](auto& hooks) {
          return hooks.insert(records.webhook("shift"));
        })) == "core.name_taken");

  must(records.template in<WebhookStore>(
      [&](auto& hooks) { return hooks.put_outcome(webhook.id, records.world.clock.now(), ""); }));
  must(records.template in<WebhookStore>(
      [&](auto& hooks) { return hooks.put_outcome(webhook.id, std::nullopt, "refused"); }));
  const auto read = must(records.template in<WebhookStore>(
      [&](auto& hooks) { return hooks.get(records.project, webhook.id); }));

  CHECK(read.sealed_secret == webhook.sealed_secret);
  CHECK(read.delivered_at == records.world.clock.now());
  CHECK(read.last_error == "refused");
  CHECK(read.revision == Revision::first);
  webhook.url = "https://example.org";
  CHECK(must(records.template in<WebhookStore>(
            [&](auto& hooks) { return hooks.update(webhook); })) == Revision{2});
  CHECK(failure(records.template in<WebhookStore>(
            [&](auto& hooks) { return hooks.update(webhook); })) == "core.stale_revision");
}

TEST_CASE_TEMPLATE("alarm's stores: what belongs to a removed project goes, and nothing else",
                   Backend, ECP_TEST_BACKENDS) {
  if (!Backend::is_available()) return;
  auto records = open<Backend>();
  const auto fill = [&](access::ProjectId project) {
    records.project = project;
    must(records.template in<AlarmRuleStore>(
        [&](auto& rules) { return rules.insert(records.rule("r")); }));
    must(records.template in<AlarmStore>(
        [&](auto& alarms) { return alarms.raise(records.occurrence(project.to_string())); }));
    must(records.template in<WebhookStore>(
        [&](auto& hooks) { return hooks.insert(records.webhook("w")); }));
  };
  const auto mine = records.project;
  fill(records.foreign);
  fill(mine);

  must(records.template in<AlarmRuleStore>(
      [&](auto& rules) { return rules.remove_of_project(mine); }));
  must(records.template in<AlarmStore>(
      [&](auto& alarms) { return alarms.remove_of_project(mine); }));
  must(records.template in<WebhookStore>(
      [&](auto& hooks) { return hooks.remove_of_project(mine); }));

  const auto left = [&](access::ProjectId project) {
    const auto rules = must(
        records.template in<AlarmRuleStore>([&](auto& store) { return store.count(project); }));
    const auto alarms = must(
        records.template in<AlarmStore>([&](auto& store) { return store.count_active(project); }));
    const auto hooks = must(
        records.template in<WebhookStore>([&](auto& store) { return store.list_ids(project); }));
    return rules + alarms + static_cast<std::int64_t>(hooks.size());
  };
  CHECK(left(mine) == 0);
  CHECK(left(records.foreign) == 3);
}

}  // namespace
}  // namespace ecp_test
