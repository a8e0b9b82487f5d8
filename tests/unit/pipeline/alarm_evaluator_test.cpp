// SPDX-License-Identifier: Apache-2.0
#include <vector>

#include <doctest/doctest.h>

#include <ecp/pipeline/alarm_evaluator.hpp>

namespace wire = ecp::link;
namespace series = ecp::series;
using ecp::Milliseconds;
using ecp::pipeline::AlarmEvaluator;

namespace {

const wire::EdgeServiceId service(ecp::IdBytes{1});
const wire::AlarmRuleId rule_id(ecp::IdBytes{2});

wire::EdgeAlarmRule too_hot(Milliseconds hold = Milliseconds{0}) {
  wire::EdgeAlarmRule rule;
  rule.id = rule_id;
  rule.revision = 1;
  rule.service = service;
  rule.tag = "furnace/fast/temperature";
  rule.threshold = 100;
  rule.hysteresis = 5;
  rule.hold = hold;
  return rule;
}

/// Feeds values one second apart and keeps what came of them.
struct Line {
  AlarmEvaluator evaluator;
  std::vector<wire::Transition> transitions;
  std::int64_t second = 0;

  explicit Line(const wire::EdgeAlarmRule& rule) { evaluator.set_rules({rule}); }
  void feed(double value) { feed(series::Value(value), series::Quality::good); }
  void feed_bad() { feed(series::Value(0.0), series::Quality::bad); }
  void feed(const series::Value& value, series::Quality quality) {
    series::Sample sample;
    sample.tag = "furnace/fast/temperature";
    sample.time = ecp::from_ms(1'000'000 + ++second * 1000);
    sample.value = value;
    sample.quality = quality;
    evaluator.judge(service, sample, transitions);
  }
};

}  // namespace

TEST_SUITE("pipeline.AlarmEvaluator") {
  TEST_CASE("an alarm raises beyond the threshold and clears beyond the hysteresis") {
    Line line(too_hot());

    for (const double value : {99.0, 100.0, 101.0, 99.0, 96.0, 95.0, 101.0}) line.feed(value);

    REQUIRE(line.transitions.size() == 3);
    CHECK(line.transitions[0].raised);
    CHECK(line.transitions[0].value == 101.0);
    CHECK_FALSE(line.transitions[1].raised);
    CHECK(line.transitions[1].value == 95.0);
    CHECK(line.transitions[2].raised);
  }

  TEST_CASE("a rule below its threshold is the mirror image") {
    auto rule = too_hot();
    rule.above = false;
    Line line(rule);

    for (const double value : {100.0, 99.0, 104.0, 105.0}) line.feed(value);

    REQUIRE(line.transitions.size() == 2);
    CHECK(line.transitions[0].raised);
    CHECK_FALSE(line.transitions[1].raised);
  }

  TEST_CASE("the condition must hold for the whole time, without a break") {
    Line line(too_hot(Milliseconds{3000}));

    for (const double value : {101.0, 101.0, 101.0, 99.0, 101.0, 101.0, 101.0}) line.feed(value);
    CHECK(line.transitions.empty());
    line.feed(101.0);

    REQUIRE(line.transitions.size() == 1);
    CHECK(line.transitions[0].raised);
  }

  TEST_CASE("time without good samples does not count, and does not reset") {
    Line line(too_hot(Milliseconds{2000}));

    line.feed(101.0);
    line.feed(101.0);
    for (int i = 0; i < 10; ++i) line.feed_bad();
    line.feed(101.0);
    CHECK(line.transitions.empty());
    line.feed(101.0);

    CHECK(line.transitions.size() == 1);
  }

  TEST_CASE("a restart neither clears, raises nor resets") {
    Line before(too_hot(Milliseconds{2000}));
    before.feed(101.0);
    before.feed(101.0);
    auto memories = before.evaluator.take_changed();
    REQUIRE(memories.size() == 1);

    Line after(too_hot(Milliseconds{2000}));
    after.evaluator = AlarmEvaluator();
    after.evaluator.restore(memories);
    CHECK(after.evaluator.set_rules({too_hot(Milliseconds{2000})}).empty());
    after.second = 3600;
    after.feed(101.0);
    CHECK(after.transitions.empty());
    after.feed(101.0);
    REQUIRE(after.transitions.size() == 1);

    Line later(too_hot());
    later.evaluator = AlarmEvaluator();
    later.evaluator.restore(after.evaluator.take_changed());
    later.evaluator.set_rules({too_hot()});
    later.feed(101.0);
    CHECK(later.transitions.empty());
    later.feed(20.0);
    REQUIRE(later.transitions.size() == 1);
    CHECK_FALSE(later.transitions[0].raised);
  }

  TEST_CASE("an active alarm whose rule was changed is told again under the new revision") {
    Line line(too_hot());
    line.feed(110.0);
    auto changed = too_hot();
    changed.revision = 2;
    changed.threshold = 50;
    line.evaluator.set_rules({changed});

    line.feed(110.0);
    line.feed(110.0);

    REQUIRE(line.transitions.size() == 2);
    CHECK(line.transitions[1].raised);
    CHECK(line.transitions[1].rule_revision == 2);
  }

  TEST_CASE("time that another condition was held does not count for the changed rule") {
    Line line(too_hot(Milliseconds{2000}));
    line.feed(101.0);
    line.feed(101.0);
    auto changed = too_hot(Milliseconds{2000});
    changed.revision = 2;
    changed.threshold = 50;
    line.evaluator.set_rules({changed});

    line.feed(101.0);
    line.feed(101.0);
    CHECK(line.transitions.empty());
    line.feed(101.0);

    CHECK(line.transitions.size() == 1);
  }

  TEST_CASE("the memory of a rule that is gone is given up") {
    Line line(too_hot());
    line.feed(110.0);

    CHECK(line.evaluator.set_rules({}) == std::vector{rule_id});
    line.feed(10.0);

    CHECK(line.transitions.size() == 1);
  }

  TEST_CASE("a clock that is set back cannot raise an alarm") {
    Line line(too_hot(Milliseconds{2000}));

    line.feed(101.0);
    line.second = -3600;
    line.feed(101.0);

    CHECK(line.transitions.empty());
  }

  TEST_CASE("a rule on every service judges each by itself, also over a restart") {
    auto everywhere = too_hot();
    everywhere.service = {};
    Line line(everywhere);
    const wire::EdgeServiceId second(ecp::IdBytes{9});
    series::Sample hot;
    hot.tag = "furnace/fast/temperature";
    hot.value = 120.0;

    line.feed(101.0);
    line.feed(50.0);
    line.evaluator.judge(second, hot, line.transitions);
    AlarmEvaluator after;
    after.restore(line.evaluator.take_changed());
    after.set_rules({everywhere});
    after.judge(second, hot, line.transitions);
    after.judge(service, hot, line.transitions);

    REQUIRE(line.transitions.size() == 4);
    CHECK(line.transitions[0].service == service);
    CHECK_FALSE(line.transitions[1].raised);
    CHECK(line.transitions[2].service == second);
    CHECK(line.transitions[2].raised);
    CHECK(line.transitions[3].service == service);
  }

  TEST_CASE("samples of other tags and services, and texts, are not judged") {
    Line line(too_hot());
    series::Sample other;
    other.tag = "furnace/fast/pressure";
    other.value = 500.0;
    line.evaluator.judge(service, other, line.transitions);
    other.tag = "furnace/fast/temperature";
    line.evaluator.judge(wire::EdgeServiceId(ecp::IdBytes{9}), other, line.transitions);
    line.feed(series::Value(std::string("500")), series::Quality::good);

    CHECK(line.transitions.empty());
  }
}
