// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/reasons.hpp>
#include <ecp/link/documents.hpp>

#include "unit/alarm/alarm_world.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using alarm::AlarmState;
using alarm::Severity;

template <class Unit>
void in(AlarmWorld& plant, Unit unit) {
  must(plant.write([&](storage::Transaction& t) -> Result<void> { return unit(t); }));
}

fleet::EdgeService with_state(fleet::EdgeService service, link::ServiceState state) {
  service.status.state = state;
  service.status.reason = "pipeline.no_device";
  return service;
}

TEST_SUITE("alarm.AlarmEngine") {
  TEST_CASE("a raise makes one active alarm that says what happened") {
    AlarmWorld plant;
    const auto rule = plant.add_rule(80);

    must(plant.report(plant.node, plant.transition(rule, true, 81.5)));

    const auto alarms = plant.alarms();
    REQUIRE(alarms.size() == 1);
    CHECK(alarms[0].state == AlarmState::active);
    CHECK(alarms[0].name == rule.name);
    CHECK(alarms[0].subject == "furnace-1 drive/fast/temperature");
    CHECK(alarms[0].message == "drive/fast/temperature is 81.5, above 80");
    CHECK(alarms[0].value == 81.5);
    CHECK(alarms[0].raised_at == plant.world.clock.now());
  }

  TEST_CASE("a second raise of the same rule is the same alarm") {
    AlarmWorld plant;
    const auto rule = plant.add_rule();

    must(plant.report(plant.node, plant.transition(rule, true, 81)));
    must(plant.report(plant.node, plant.transition(rule, true, 82)));

    CHECK(plant.alarms().size() == 1);
  }

  TEST_CASE("a clear moves the alarm to history and the next raise is a new one") {
    AlarmWorld plant;
    const auto rule = plant.add_rule();
    must(plant.report(plant.node, plant.transition(rule, true, 81)));
    plant.world.clock.advance(Milliseconds(500));

    must(plant.report(plant.node, plant.transition(rule, false, 70)));
    must(plant.report(plant.node, plant.transition(rule, true, 90)));

    const auto cleared = plant.alarms(AlarmState::cleared);
    REQUIRE(cleared.size() == 1);
    CHECK(cleared[0].cleared_at == plant.world.clock.now());
    CHECK(cleared[0].cleared_number > cleared[0].raised_number);
    CHECK(plant.active() == 1);
  }

  TEST_CASE("every raise and clear is audited and laid into the outbox once per webhook [R34]") {
    AlarmWorld plant;
    plant.add_webhook("shift", "https://203.0.113.5/a");
    plant.add_webhook("office", "https://203.0.113.5/b");
    const auto rule = plant.add_rule();
    int woken = 0;
    plant.engine.on_notices([&] { ++woken; });

    must(plant.report(plant.node, plant.transition(rule, true, 81)));
    must(plant.report(plant.node, plant.transition(rule, false, 70)));

    CHECK(plant.audited() == std::vector<std::string>{"alarm.clear", "alarm.raise"});
    CHECK(plant.waiting_notices() == 4);
    CHECK(woken == 2);
  }

  TEST_CASE("what the transaction loses leaves no alarm, no notice and no audit entry") {
    AlarmWorld plant;
    plant.add_webhook("shift", "https://203.0.113.5/a");
    const auto rule = plant.add_rule();
    const auto raise = plant.transition(rule, true, 81);
    bool woken = false;
    plant.engine.on_notices([&] { woken = true; });

    const auto outcome = plant.write([&](storage::Transaction& t) -> Result<void> {
      auto applied = plant.engine.apply(t, plant.node, {&raise, 1});
      if (!applied) return applied;
      return reasons::unavailable;
    });

    CHECK_FALSE(outcome);
    CHECK(plant.alarms().empty());
    CHECK(plant.waiting_notices() == 0);
    CHECK(plant.audited().empty());
    CHECK_FALSE(woken);
  }

  TEST_CASE("a node cannot raise or clear alarms of another node's service [R12]") {
    AlarmWorld plant;
    const auto rule = plant.add_rule();

    must(plant.report(plant.other_node, plant.transition(rule, true, 81)));
    CHECK(plant.alarms().empty());

    must(plant.report(plant.node, plant.transition(rule, true, 81)));
    must(plant.report(plant.other_node, plant.transition(rule, false, 10)));
    CHECK(plant.active() == 1);
  }

  TEST_CASE("a rule on every service has one alarm for each service, of its own project only") {
    AlarmWorld plant;
    const auto rule = plant.add_rule(80, true);
    auto first = plant.transition(rule, true, 81);
    first.transition.service = plant.service.id;
    auto second = plant.transition(rule, true, 82);
    second.transition.service = plant.other_service.id;
    auto foreign_rule = rule;
    foreign_rule.id = plant.world.ids.next<alarm::AlarmRuleId>();
    foreign_rule.project = plant.world.ids.next<access::ProjectId>();
    must(plant.write(
        [&](auto& t) { return t.template get<alarm::AlarmRuleStore>().insert(foreign_rule); }));
    auto foreign = plant.transition(foreign_rule, true, 83);
    foreign.transition.service = plant.service.id;

    must(plant.report(plant.node, first));
    must(plant.report(plant.node, second));
    must(plant.report(plant.node, foreign));
    CHECK(plant.active() == 1);
    must(plant.report(plant.other_node, second));

    REQUIRE(plant.active() == 2);
    CHECK(plant.alarms()[0].service != plant.alarms()[1].service);
  }

  TEST_CASE("transitions of a removed rule are skipped with success") {
    AlarmWorld plant;
    auto rule = plant.add_rule();
    rule.id = plant.world.ids.next<alarm::AlarmRuleId>();

    CHECK(plant.report(plant.node, plant.transition(rule, true, 81)).has_value());

    CHECK(plant.alarms().empty());
  }

  TEST_CASE("a late raise under the rule as it was goes to history at once") {
    AlarmWorld plant;
    auto rule = plant.add_rule();
    auto late = plant.transition(rule, true, 81);
    late.transition.rule_revision = 0;
    late.transition.late = true;

    must(plant.report(plant.node, late));

    const auto alarms = plant.alarms();
    REQUIRE(alarms.size() == 1);
    CHECK(alarms[0].state == AlarmState::cleared);
    CHECK(alarms[0].late);
  }

  TEST_CASE("an absent node raises a critical alarm that clears when it is heard again") {
    AlarmWorld plant;
    const auto now = plant.world.clock.now();

    in(plant, [&](auto& t) { return plant.engine.node_absent(t, plant.node, now); });
    in(plant, [&](auto& t) { return plant.engine.node_absent(t, plant.node, now); });
    const auto raised = plant.alarms();
    in(plant, [&](auto& t) { return plant.engine.node_returned(t, plant.node, now); });

    REQUIRE(raised.size() == 1);
    CHECK(raised[0].name == "edge node offline");
    CHECK(raised[0].subject == "gateway-1");
    CHECK(raised[0].severity == Severity::critical);
    CHECK(plant.active() == 0);
  }

  TEST_CASE("a failed service raises an alarm that clears when it runs, not while it starts") {
    AlarmWorld plant;
    const auto now = plant.world.clock.now();
    const auto change = [&](link::ServiceState state) {
      in(plant, [&](auto& t) {
        return plant.engine.service_state_changed(t, plant.node, with_state(plant.service, state),
                                                  link::ServiceState::unknown, now);
      });
    };

    change(link::ServiceState::failed);
    CHECK(plant.alarms().at(0).message ==
          "edge service furnace-1 on edge node gateway-1 has failed: pipeline.no_device");
    change(link::ServiceState::starting);
    CHECK(plant.active() == 1);
    change(link::ServiceState::running);
    CHECK(plant.active() == 0);
  }

  TEST_CASE("[R17] a used-up token that is tried again is an alarm until it is removed") {
    AlarmWorld plant;
    fleet::EnrollmentToken token;
    token.id = plant.world.ids.next<fleet::EnrollmentTokenId>();
    token.organization = plant.scope.organization;
    token.project = plant.scope.project;
    token.name = "line 1";
    plant.add_webhook("pager", "https://example.com/x");
    const auto reuse = [&] {
      in(plant, [&](auto& t) { return plant.engine.token_used_again(t, token); });
    };

    reuse();
    reuse();
    REQUIRE(plant.active() == 1);
    CHECK(plant.alarms()[0].source == "enrollment_token.used_again");
    CHECK(plant.alarms()[0].subject == "line 1");
    CHECK(plant.alarms()[0].severity == Severity::critical);
    CHECK(plant.waiting_notices() == 1);
    in(plant, [&](auto& t) { return plant.engine.token_removed(t, token); });
    CHECK(plant.active() == 0);

    reuse();
    plant.world.clock.advance(alarm::trust_alarm_life - Milliseconds(1));
    in(plant, [&](auto& t) { return plant.engine.sweep(t); });
    CHECK(plant.active() == 1);
    plant.world.clock.advance(Milliseconds(1));
    in(plant, [&](auto& t) { return plant.engine.sweep(t); });
    CHECK(plant.active() == 0);
  }

  TEST_CASE("[R22] a doubled identity is an alarm until it has been quiet") {
    AlarmWorld plant;
    const auto flip = [&] {
      plant.node.status.flips = {plant.world.clock.now()};
      in(plant, [&](storage::Transaction& t) -> Result<void> {
        ECP_TRY_VOID(t.get<fleet::EdgeNodeStore>().put_status(plant.node.id, plant.node.status));
        return plant.engine.identity_doubled(t, plant.node, plant.world.clock.now());
      });
    };
    const auto sweep_after = [&](Milliseconds time) {
      plant.world.clock.advance(time);
      in(plant, [&](auto& t) { return plant.engine.sweep(t); });
      return plant.active();
    };

    flip();
    REQUIRE(plant.active() == 1);
    CHECK(plant.alarms()[0].name == "edge node identity used twice");
    CHECK(plant.alarms()[0].node == plant.node.id);
    CHECK(sweep_after(alarm::identity_quiet - Milliseconds(1)) == 1);
    flip();
    CHECK(sweep_after(alarm::identity_quiet - Milliseconds(1)) == 1);
    CHECK(sweep_after(Milliseconds(1)) == 0);
    CHECK(plant.alarms().size() == 1);
  }

  TEST_CASE("[R38] a restored database is one alarm in each project concerned, for a day") {
    AlarmWorld plant;
    const auto now = plant.world.clock.now();

    in(plant, [&](auto& t) { return plant.engine.database_restored(t, plant.node, now); });
    in(plant, [&](auto& t) { return plant.engine.database_restored(t, plant.other_node, now); });

    REQUIRE(plant.active() == 1);
    CHECK(plant.alarms()[0].source == "platform.restored");
    plant.world.clock.advance(alarm::trust_alarm_life);
    in(plant, [&](auto& t) { return plant.engine.sweep(t); });
    CHECK(plant.active() == 0);
  }

  TEST_CASE("built-in rules that a project switched off raise nothing") {
    AlarmWorld plant;
    const auto now = plant.world.clock.now();
    in(plant, [&](storage::Transaction& t) -> Result<void> {
      ECP_TRY_VOID(t.get<alarm::AlarmSettingsStore>().put(plant.scope.project,
                                                          {false, false, Revision::none}));
      return {};
    });

    in(plant, [&](auto& t) { return plant.engine.node_absent(t, plant.node, now); });
    in(plant, [&](auto& t) {
      return plant.engine.service_state_changed(
          t, plant.node, with_state(plant.service, link::ServiceState::failed),
          link::ServiceState::running, now);
    });

    CHECK(plant.alarms().empty());
  }

  TEST_CASE("removing a node clears its alarms, those of its services, and removes their rules") {
    AlarmWorld plant;
    const auto rule = plant.add_rule();
    must(plant.report(plant.node, plant.transition(rule, true, 81)));
    in(plant, [&](auto& t) { return plant.engine.node_absent(t, plant.node, Time{}); });
    REQUIRE(plant.active() == 2);

    in(plant, [&](auto& t) { return plant.engine.node_removed(t, plant.node); });

    CHECK(plant.active() == 0);
    const auto left = must(plant.write(
        [&](auto& t) { return t.template get<alarm::AlarmRuleStore>().find(rule.id); }));
    CHECK_FALSE(left.has_value());
  }

  TEST_CASE("listeners of the project hear of each transition after its commit") {
    AlarmWorld plant;
    const auto rule = plant.add_rule();
    std::vector<std::string> heard;
    const auto subscription = plant.live.subscribe(
        plant.scope, [&](const platform::LiveEvent& event) { heard.push_back(event.data_json); });

    must(plant.report(plant.node, plant.transition(rule, true, 81)));

    REQUIRE(heard.size() == 1);
    CHECK(heard[0].find("\"state\":\"active\"") != std::string::npos);
  }
}

TEST_SUITE("alarm.AlarmRuleSource") {
  TEST_CASE("a node gets the enabled rules on its own and on every service, and no others") {
    AlarmWorld plant;
    const auto rule = plant.add_rule(80);
    const auto everywhere = plant.add_rule(90, true);
    alarm::AlarmRuleSource source;
    const auto resources_of = [&](const fleet::EdgeNode& node) {
      return must(plant.write([&](auto& t) { return source.resources(t, node); }));
    };

    const auto mine = resources_of(plant.node);
    const auto others = resources_of(plant.other_node);

    REQUIRE(mine.size() == 1);
    CHECK(mine[0].name == "alarm-rules");
    const auto rules = must(link::parse_edge_alarm_rules(mine[0].body)).rules;
    REQUIRE(rules.size() == 2);
    CHECK(rules[0].id == rule.id);
    CHECK(rules[0].threshold == 80);
    const auto elsewhere = must(link::parse_edge_alarm_rules(others.at(0).body)).rules;
    REQUIRE(elsewhere.size() == 1);
    CHECK(elsewhere[0].id == everywhere.id);
    CHECK(elsewhere[0].service.is_nil());
  }
}

}  // namespace
}  // namespace ecp_test
