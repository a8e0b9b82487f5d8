// SPDX-License-Identifier: Apache-2.0
#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/alarm/alarm_rule_registry.hpp>

#include "unit/alarm/alarm_world.hpp"

namespace ecp_test {
namespace {

using namespace ecp;  // NOLINT: a test reads better without prefixes.
using alarm::AlarmRuleRegistry;

struct Rules : AlarmWorld {
  AlarmRuleRegistry registry{*store, desired, engine, world.env()};

  AlarmRuleRegistry::NewRule wanted() const {
    AlarmRuleRegistry::NewRule rule;
    rule.name = "too hot";
    rule.condition.service = service.id;
    rule.condition.tag = "drive/fast/temperature";
    rule.condition.threshold = 80;
    rule.condition.hysteresis = 2;
    rule.condition.hold = Milliseconds(1000);
    return rule;
  }
  std::vector<fleet::EdgeNodeId> touched() {
    return must(write([](auto& t) { return t.template get<fleet::DesiredStore>().touched(10); }));
  }
  void settle() {
    must(write([&](auto& t) { return t.template get<fleet::DesiredStore>().settle(node.id); }));
  }
};

TEST_SUITE("alarm.AlarmRuleRegistry") {
  TEST_CASE("a new rule is stored, audited, and makes its node's desired state anew") {
    Rules plant;

    const auto rule = must(plant.registry.create(plant.grant(), plant.wanted()));

    CHECK(must(plant.registry.get(plant.grant(), rule.id)).condition == plant.wanted().condition);
    CHECK(plant.audited() == std::vector<std::string>{"alarm_rule.create"});
    CHECK(plant.touched() == std::vector{plant.node.id});
  }

  TEST_CASE("open streams are told of a rule that was made, changed or removed") {
    Rules plant;
    std::vector<std::string> heard;
    const auto subscription =
        plant.live.subscribe(plant.scope, [&](const platform::LiveEvent& event) {
          CHECK(event.name == "alarm_rule");
          heard.push_back(event.data_json);
        });

    auto rule = must(plant.registry.create(plant.grant(), plant.wanted()));
    AlarmRuleRegistry::Changes changes;
    changes.threshold = 90;
    rule = must(plant.registry.update(plant.grant(), rule.id, rule.revision, changes));
    CHECK_FALSE(plant.registry.update(plant.grant(), rule.id, Revision::first, changes));
    must(plant.registry.remove(plant.grant(), rule.id, rule.revision));

    CHECK(heard == std::vector<std::string>(3, R"({"id":")" + rule.id.to_string() + "\"}"));
  }

  TEST_CASE("a rule needs a numeric data tag of a service in the project") {
    Rules plant;
    auto text = plant.wanted();
    text.condition.tag = "drive/fast/label";
    auto absent = plant.wanted();
    absent.condition.tag = "drive/fast/pressure";
    auto foreign = plant.wanted();
    foreign.condition.service = plant.world.ids.next<link::EdgeServiceId>();

    CHECK(failure(plant.registry.create(plant.grant(), text)) == "alarm_rule.unknown_tag");
    CHECK(failure(plant.registry.create(plant.grant(), absent)) == "alarm_rule.unknown_tag");
    CHECK(failure(plant.registry.create(plant.grant(), foreign)) == "core.not_found");
  }

  TEST_CASE("a rule on every service makes every node's desired state of the project anew") {
    Rules plant;
    auto everywhere = plant.wanted();
    everywhere.condition.service = {};
    everywhere.condition.tag = "drive/fast/not-yet-there";

    const auto rule = must(plant.registry.create(plant.grant(), everywhere));

    CHECK(plant.touched().size() == 2);
    CHECK(must(plant.registry.get(plant.grant(), rule.id)).condition == everywhere.condition);
  }

  TEST_CASE("names, hysteresis and hold out of bounds are refused by name of the field") {
    Rules plant;
    auto nameless = plant.wanted();
    nameless.name = "";
    auto negative = plant.wanted();
    negative.condition.hysteresis = -1;
    auto endless = plant.wanted();
    endless.condition.hold = Milliseconds(25LL * 3'600'000);

    CHECK(failure(plant.registry.create(plant.grant(), nameless)) == "core.bad_field");
    CHECK(failure(plant.registry.create(plant.grant(), negative)) == "core.bad_field");
    CHECK(failure(plant.registry.create(plant.grant(), endless)) == "core.bad_field");
  }

  TEST_CASE("a name is taken once in a project") {
    Rules plant;
    must(plant.registry.create(plant.grant(), plant.wanted()));

    CHECK(failure(plant.registry.create(plant.grant(), plant.wanted())) == "core.name_taken");
  }

  TEST_CASE("a new name alone leaves edge and alarm as they are") {
    Rules plant;
    const auto rule = must(plant.registry.create(plant.grant(), plant.wanted()));
    must(plant.report(plant.node, plant.transition(rule, true, 81)));
    plant.settle();

    const auto renamed = must(plant.registry.update(plant.grant(), rule.id, rule.revision,
                                                    {"hotter", {}, {}, {}, {}, {}, {}}));

    CHECK(renamed.revision == next(rule.revision));
    CHECK(renamed.condition_revision == rule.condition_revision);
    CHECK(plant.active() == 1);
    CHECK(plant.touched().empty());
  }

  TEST_CASE("a new threshold clears the active alarm and goes to the edge") {
    Rules plant;
    const auto rule = must(plant.registry.create(plant.grant(), plant.wanted()));
    must(plant.report(plant.node, plant.transition(rule, true, 81)));
    plant.settle();

    const auto changed = must(plant.registry.update(plant.grant(), rule.id, rule.revision,
                                                    {{}, {}, 90.0, {}, {}, {}, {}}));

    CHECK(changed.condition_revision == changed.revision);
    CHECK(plant.active() == 0);
    CHECK(plant.touched() == std::vector{plant.node.id});
  }

  TEST_CASE("an update or removal of a stale revision is a conflict") {
    Rules plant;
    const auto rule = must(plant.registry.create(plant.grant(), plant.wanted()));
    must(plant.registry.update(plant.grant(), rule.id, rule.revision,
                               {"hotter", {}, {}, {}, {}, {}, {}}));

    CHECK(failure(plant.registry.update(plant.grant(), rule.id, rule.revision,
                                        {"hottest", {}, {}, {}, {}, {}, {}})) ==
          "core.stale_revision");
    CHECK(failure(plant.registry.remove(plant.grant(), rule.id, rule.revision)) ==
          "core.stale_revision");
  }

  TEST_CASE("removing a rule clears its alarm") {
    Rules plant;
    const auto rule = must(plant.registry.create(plant.grant(), plant.wanted()));
    must(plant.report(plant.node, plant.transition(rule, true, 81)));

    must(plant.registry.remove(plant.grant(), rule.id, rule.revision));

    CHECK(plant.active() == 0);
    CHECK(failure(plant.registry.get(plant.grant(), rule.id)) == "core.not_found");
  }

  TEST_CASE("switching a built-in rule off clears its alarms") {
    Rules plant;
    must(plant.write([&](auto& t) { return plant.engine.node_absent(t, plant.node, Time{}); }));

    const auto settings =
        must(plant.registry.set_settings(plant.grant(), {false, true, Revision::none}));

    CHECK(settings.revision == Revision::first);
    CHECK(plant.active() == 0);
    CHECK_FALSE(must(plant.registry.settings(plant.grant())).node_offline);
    CHECK(failure(plant.registry.set_settings(plant.grant(), {true, true, Revision::none})) ==
          "core.stale_revision");
  }

  TEST_CASE("whoever has no place in the project is told that nothing is there [R12]") {
    Rules plant;
    alarm::AlarmRegistry alarms(*plant.store);
    const auto rule = must(plant.registry.create(plant.grant(), plant.wanted()));
    const auto is_hidden = [](const auto& outcome) {
      return !outcome && outcome.error().code() == ErrorCode::not_found;
    };

    CHECK(is_hidden(plant.registry.create(plant.stranger(), plant.wanted())));
    CHECK(is_hidden(plant.registry.get(plant.stranger(), rule.id)));
    CHECK(is_hidden(plant.registry.list(plant.stranger(), {}, {})));
    CHECK(is_hidden(plant.registry.update(plant.stranger(), rule.id, rule.revision, {})));
    CHECK(is_hidden(plant.registry.remove(plant.stranger(), rule.id, rule.revision)));
    CHECK(is_hidden(plant.registry.settings(plant.stranger())));
    CHECK(is_hidden(plant.registry.set_settings(plant.stranger(), {})));
    CHECK(is_hidden(alarms.list(plant.stranger(), {}, {})));
    CHECK(is_hidden(alarms.get(plant.stranger(), {})));
  }
}

}  // namespace
}  // namespace ecp_test
