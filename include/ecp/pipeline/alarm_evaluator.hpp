// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Threshold alarms, judged where the values are.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/series/sample.hpp>

namespace ecp::inline v0::pipeline {

/// What one rule remembers of one service, also over a restart.
struct AlarmMemory {
  static constexpr std::int64_t untold = -1;
  link::AlarmRuleId rule;
  link::EdgeServiceId service;
  std::int64_t told_revision = 0;  ///< Of the rule, in the last transition; `untold`: tell again.
  bool active = false;
  Milliseconds held{0};  ///< How long the condition was seen to hold; a pause does not count.
  friend bool operator==(const AlarmMemory&, const AlarmMemory&) = default;
};

/// Judges samples by rules, each service by itself; copied to try a flush and swapped in when it is
/// committed.
///
/// A restart neither clears nor raises: `held` goes on from where it was, time without good samples
/// does not count. An active alarm whose rule was changed is told again under the new revision.
/// Thread safety: none.
class ECP_EXPORT AlarmEvaluator {
 public:
  /// `tells_all`: as after tell_again, of services that were never judged, too.
  void restore(std::vector<AlarmMemory> memories, bool tells_all = false);
  /// Replace the rules; return the ids of those whose memory is gone.
  std::vector<link::AlarmRuleId> set_rules(std::vector<link::EdgeAlarmRule> rules);
  [[nodiscard]] bool has_rules() const noexcept { return !rules_.empty(); }
  /// Judge the samples of a service in their order; append to `out` what changes. Rules whose
  /// memory changed are noted in `changed`.
  void judge(link::EdgeServiceId service, const series::Sample& sample,
             std::vector<link::Transition>& out);
  /// Whoever is told may have forgotten: the next good sample tells each state once more, whether
  /// raised or clear, and so does the first one of a service that was never judged.
  void tell_again();
  /// Memories that changed since the last call.
  [[nodiscard]] std::vector<AlarmMemory> take_changed();

 private:
  struct Judgement {
    AlarmMemory memory;
    std::optional<Time> last;  ///< Of the previous good sample for which the condition held.
    bool changed = false;
  };
  struct Rule {
    link::EdgeAlarmRule rule;
    std::map<link::EdgeServiceId, Judgement> services;
  };
  static std::optional<link::Transition> step(const link::EdgeAlarmRule& rule, Judgement& judgement,
                                              double value, Time time);
  std::vector<Rule> rules_;
  std::map<link::AlarmRuleId, std::vector<AlarmMemory>> restored_;
  bool tells_all_ = false;
};

}  // namespace ecp::inline v0::pipeline
