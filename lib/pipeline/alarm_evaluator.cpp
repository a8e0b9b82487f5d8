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

void AlarmEvaluator::restore(std::vector<AlarmMemory> memories, bool tells_all) {
  tells_all_ = tells_all;
  for (auto& memory : memories) restored_[memory.rule].push_back(memory);
}

std::vector<link::AlarmRuleId> AlarmEvaluator::set_rules(std::vector<link::EdgeAlarmRule> rules) {
  std::map<link::AlarmRuleId, std::int64_t> revisions;
  for (const auto& rule : rules_) {
    auto& memories = restored_[rule.rule.id];
    for (const auto& [service, judgement] : rule.services) memories.push_back(judgement.memory);
    revisions[rule.rule.id] = rule.rule.revision;
  }
  std::vector<Rule> next;
  for (auto& rule : rules) {
    Rule made{rule, {}};
    const auto known = restored_.find(rule.id);
    if (known != restored_.end()) {
      const auto before = revisions.find(rule.id);
      const bool is_other = before != revisions.end() && before->second != rule.revision;
      for (auto memory : known->second) {
        if (is_other) memory.held = Milliseconds{0};  // Of another condition.
        made.services[memory.service].memory = memory;
      }
      restored_.erase(known);
    }
    next.push_back(std::move(made));
  }
  std::vector<link::AlarmRuleId> gone;
  for (const auto& [id, memories] : restored_) gone.push_back(id);
  restored_.clear();
  rules_ = std::move(next);
  return gone;
}

std::optional<link::Transition> AlarmEvaluator::step(const link::EdgeAlarmRule& rule,
                                                     Judgement& judgement, double value,
                                                     Time time) {
  auto& memory = judgement.memory;
  const auto before = memory;
  const bool holds = memory.active ? !is_back(rule, value) : is_beyond(rule, value);
  bool tell = memory.told_revision == AlarmMemory::untold;
  if (memory.active) {
    tell = tell || !holds || memory.told_revision != rule.revision;
    memory.active = holds;
    memory.held = Milliseconds{0};
  } else if (holds) {
    if (judgement.last && time > *judgement.last) memory.held += time - *judgement.last;
    judgement.last = time;
    memory.active = memory.held >= rule.hold;
    tell = tell || memory.active;
  } else {
    memory.held = Milliseconds{0};
    judgement.last.reset();
  }
  if (tell) {
    memory.told_revision = rule.revision;
    if (memory.active || !holds) {
      memory.held = Milliseconds{0};
      judgement.last.reset();
    }
  }
  judgement.changed = judgement.changed || memory != before;
  if (!tell) return std::nullopt;
  return link::Transition{rule.id,       rule.revision, memory.service, rule.tag,
                          memory.active, time,          value,          false};
}

void AlarmEvaluator::judge(link::EdgeServiceId service, const series::Sample& sample,
                           std::vector<link::Transition>& out) {
  for (auto& rule : rules_) {
    const bool is_on = rule.rule.service.is_nil() || rule.rule.service == service;
    if (!is_on || rule.rule.tag != sample.tag) continue;
    const auto [place, is_first] = rule.services.try_emplace(service);
    auto& judgement = place->second;
    if (is_first && tells_all_) judgement.memory.told_revision = AlarmMemory::untold;
    judgement.memory.rule = rule.rule.id;
    judgement.memory.service = service;
    const auto value =
        sample.quality == series::Quality::bad ? std::nullopt : number_of(sample.value);
    if (!value) {
      judgement.last.reset();  // What is not known does not count, and does not reset either.
      continue;
    }
    auto transition = step(rule.rule, judgement, *value, sample.time);
    if (transition) out.push_back(std::move(*transition));
  }
}

void AlarmEvaluator::tell_again() {
  tells_all_ = true;
  for (auto& rule : rules_) {
    for (auto& [service, judgement] : rule.services) {
      judgement.memory.told_revision = AlarmMemory::untold;
      judgement.changed = true;
    }
  }
  for (auto& [rule, memories] : restored_) {
    for (auto& memory : memories) memory.told_revision = AlarmMemory::untold;
  }
}

std::vector<AlarmMemory> AlarmEvaluator::take_changed() {
  std::vector<AlarmMemory> changed;
  for (auto& rule : rules_) {
    for (auto& [service, judgement] : rule.services) {
      if (std::exchange(judgement.changed, false)) changed.push_back(judgement.memory);
    }
  }
  return changed;
}

}  // namespace ecp::inline v0::pipeline
