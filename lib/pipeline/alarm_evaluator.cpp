// SPDX-License-Identifier: Apache-2.0
#include <ecp/pipeline/alarm_evaluator.hpp>

#include <algorithm>

namespace ecp::inline v0::pipeline {
namespace {

std::optional<double> number_of(const series::Value& value) {
  if (const auto* real = std::get_if<double>(&value)) return *real;
  if (const auto* whole = std::get_if<std::int64_t>(&value)) return static_cast<double>(*whole);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1.0 : 0.0;
  return std::nullopt;
}

bool is_beyond(const link::EdgeAlarmRule& rule, double value) {
  return rule.above ? value > rule.threshold : value < rule.threshold;
}

bool is_back(const link::EdgeAlarmRule& rule, double value) {
  return rule.above ? value <= rule.threshold - rule.hysteresis
                    : value >= rule.threshold + rule.hysteresis;
}

}  // namespace

void AlarmEvaluator::restore(std::vector<AlarmMemory> memories) {
  for (auto& memory : memories) restored_.emplace(memory.rule, memory);
}

std::vector<link::AlarmRuleId> AlarmEvaluator::set_rules(std::vector<link::EdgeAlarmRule> rules) {
  std::map<link::AlarmRuleId, std::int64_t> revisions;
  for (const auto& rule : rules_) {
    restored_[rule.rule.id] = rule.memory;
    revisions[rule.rule.id] = rule.rule.revision;
  }
  std::vector<Rule> next;
  for (auto& rule : rules) {
    Rule made{rule, {rule.id, 0, false, Milliseconds{0}}, std::nullopt, false};
    const auto known = restored_.find(rule.id);
    if (known != restored_.end()) {
      made.memory = known->second;
      restored_.erase(known);
      const auto before = revisions.find(rule.id);
      const bool is_other = before != revisions.end() && before->second != rule.revision;
      if (is_other) made.memory.held = Milliseconds{0};  // Of another condition.
    }
    next.push_back(std::move(made));
  }
  std::vector<link::AlarmRuleId> gone;
  for (const auto& [id, memory] : restored_) gone.push_back(id);
  restored_.clear();
  rules_ = std::move(next);
  return gone;
}

std::optional<link::Transition> AlarmEvaluator::step(Rule& rule, double value, Time time) {
  auto& memory = rule.memory;
  const auto before = memory;
  const bool holds = memory.active ? !is_back(rule.rule, value) : is_beyond(rule.rule, value);
  bool tell = false;
  if (memory.active) {
    tell = !holds || memory.told_revision != rule.rule.revision;
    memory.active = holds;
    memory.held = Milliseconds{0};
  } else if (holds) {
    if (rule.last && time > *rule.last) memory.held += time - *rule.last;
    rule.last = time;
    tell = memory.active = memory.held >= rule.rule.hold;
  } else {
    memory.held = Milliseconds{0};
    rule.last.reset();
  }
  if (tell) {
    memory.told_revision = rule.rule.revision;
    memory.held = Milliseconds{0};
    rule.last.reset();
  }
  rule.changed = rule.changed || memory != before;
  if (!tell) return std::nullopt;
  return link::Transition{rule.rule.id,
                          rule.rule.revision,
                          rule.rule.service,
                          rule.rule.tag,
                          memory.active,
                          time,
                          value,
                          false};
}

void AlarmEvaluator::judge(link::EdgeServiceId service, const series::Sample& sample,
                           std::vector<link::Transition>& out) {
  for (auto& rule : rules_) {
    if (rule.rule.service != service || rule.rule.tag != sample.tag) continue;
    const auto value =
        sample.quality == series::Quality::bad ? std::nullopt : number_of(sample.value);
    if (!value) {
      rule.last.reset();  // What is not known does not count, and does not reset either.
      continue;
    }
    if (auto transition = step(rule, *value, sample.time)) out.push_back(std::move(*transition));
  }
}

std::vector<AlarmMemory> AlarmEvaluator::take_changed() {
  std::vector<AlarmMemory> changed;
  for (auto& rule : rules_) {
    if (!std::exchange(rule.changed, false)) continue;
    changed.push_back(rule.memory);
  }
  return changed;
}

}  // namespace ecp::inline v0::pipeline
