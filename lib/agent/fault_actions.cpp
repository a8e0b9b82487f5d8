// SPDX-License-Identifier: Apache-2.0
#include "agent/fault_actions.hpp"

#include <algorithm>

#include "agent/error_text.hpp"

namespace ecp::inline v0::agent {
namespace {

constexpr auto retry = Milliseconds{5'000};

bool minds(const std::vector<kind::LossRule>& rules, kind::Loss loss) {
  return std::any_of(rules.begin(), rules.end(),
                     [loss](const auto& rule) { return rule.of == loss; });
}

}  // namespace

FaultActions::FaultActions(storage::Store& store, pipeline::Buffer& buffer, Services& services,
                           std::shared_ptr<Lane> lane, Env env)
    : store_(store), buffer_(buffer), services_(services), lane_(std::move(lane)), env_(env) {}

Result<void> FaultActions::boot() {
  return store_.read([&](storage::Transaction& transaction) -> Result<void> {
    auto& store = transaction.get<AgentStore>();
    ECP_TRY(auto kept, store.guarded_tags());
    ECP_TRY(cloud_lost_at_, store.cloud_lost_at());
    for (auto& tag : kept) {
      Watched watched;
      watched.written = steady_of(tag.written_at);
      watched.kept = std::move(tag);
      Key key(watched.kept.service, watched.kept.tag);
      tags_.insert_or_assign(std::move(key), std::move(watched));
    }
    is_loss_kept_ = cloud_lost_at_.has_value();
    if (cloud_lost_at_) cloud_lost_ = steady_of(*cloud_lost_at_);
    return {};
  });
}

/// A wall clock that went back meanwhile lets the time count from now.
SteadyTime FaultActions::steady_of(Time time) const {
  return env_.clock.steady() - std::max(env_.clock.now() - time, Milliseconds{0});
}

void FaultActions::watch(link::EdgeServiceId service, const kind::PipelineConfig& config) {
  std::map<std::string, std::vector<kind::LossRule>> wanted;
  for (const auto& driver : config.drivers) {
    for (const auto& group : driver.groups) {
      for (const auto& tag : group.tags) {
        if (tag.on_loss.empty() && tag.min_interval.count() == 0) continue;
        wanted.emplace(driver.name + "/" + group.name + "/" + tag.name, tag.on_loss);
      }
    }
  }
  std::vector<std::string> gone;
  for (const auto& [key, watched] : tags_) {
    if (key.first == service && !wanted.contains(key.second)) gone.push_back(key.second);
  }
  for (const auto& tag : gone) tags_.erase({service, tag});
  for (auto& [tag, rules] : wanted) {
    auto& watched = tags_[{service, tag}];
    watched.kept.service = service;
    watched.kept.tag = tag;
    watched.kept.has_writer = watched.kept.has_writer && minds(rules, kind::Loss::writer);
    watched.rules = std::move(rules);
  }
  if (!gone.empty()) {
    const auto removed = store_.write([&](storage::Transaction& transaction) -> Result<void> {
      for (const auto& tag : gone) {
        ECP_TRY_VOID(transaction.get<AgentStore>().remove_guarded_tag(service, tag));
      }
      return {};
    });
    if (!removed) {  // What is kept too long is removed with the next configuration.
      env_.log.warning("agent", "guards of removed data tags are kept",
                       {{"why", removed.error().describe()}});
    }
  }
  keep_cloud_loss();
  arm();
}

void FaultActions::link_down() {
  if (!cloud_lost_at_) {
    cloud_lost_at_ = env_.clock.now();
    cloud_lost_ = env_.clock.steady();
  }
  keep_cloud_loss();
  arm();
}

void FaultActions::link_up() {
  cloud_lost_at_.reset();
  for (auto& [key, watched] : tags_) {
    watched.not_before = {};
    watched.is_failing = false;
  }
  keep_cloud_loss();
}

/// A loss goes on over a restart; nothing is kept for agents whose data tags do not mind.
void FaultActions::keep_cloud_loss() {
  const bool is_minded = std::any_of(tags_.begin(), tags_.end(), [](const auto& each) {
    return minds(each.second.rules, kind::Loss::cloud);
  });
  const bool is_wanted = cloud_lost_at_ && (is_minded || is_loss_kept_);
  if (is_wanted == is_loss_kept_) return;
  const auto kept = store_.write([&](storage::Transaction& transaction) {
    return transaction.get<AgentStore>().put_cloud_lost_at(cloud_lost_at_);
  });
  if (kept) {
    is_loss_kept_ = is_wanted;
  } else {
    env_.log.error("agent", "a change of the link is not kept", {{"why", kept.error().describe()}});
  }
}

std::optional<Milliseconds> FaultActions::since_write(link::EdgeServiceId service,
                                                      const std::string& tag) const {
  const auto found = tags_.find({service, tag});
  if (found == tags_.end() || found->second.kept.written_at == Time{}) return std::nullopt;
  return std::chrono::floor<Milliseconds>(env_.clock.steady() - found->second.written);
}

std::vector<GuardedTag> FaultActions::after_write(
    link::EdgeServiceId service, const std::vector<pipeline::WriteOrder>& orders) const {
  std::vector<GuardedTag> after;
  for (const auto& order : orders) {
    const auto found = tags_.find({service, order.tag});
    if (found == tags_.end()) continue;
    auto tag = found->second.kept;
    tag.written_at = env_.clock.now();
    tag.has_writer = minds(found->second.rules, kind::Loss::writer);
    tag.fault.clear();
    after.push_back(std::move(tag));
  }
  return after;
}

void FaultActions::wrote(const std::vector<GuardedTag>& tags) {
  for (const auto& tag : tags) {
    auto& watched = tags_.at({tag.service, tag.tag});
    watched.kept = tag;
    watched.written = env_.clock.steady();
    watched.not_before = {};
    watched.is_failing = false;
    ++watched.writes;
  }
  if (!tags.empty()) arm();
}

std::string FaultActions::in_force(link::EdgeServiceId service) const {
  std::string text;
  for (const auto& [key, watched] : tags_) {
    if (key.first != service || watched.kept.fault.empty()) continue;
    text += (text.empty() ? "agent.safe_value: " : ", ") + watched.kept.fault;
  }
  return text;
}

SteadyTime FaultActions::due_at(const Watched& watched, const kind::LossRule& rule) const {
  if (watched.is_acting) return SteadyTime::max();
  const bool is_cloud = rule.of == kind::Loss::cloud;
  const bool is_lost = is_cloud ? cloud_lost_at_ && watched.kept.cloud_loss != *cloud_lost_at_
                                : watched.kept.has_writer;
  if (!is_lost) return SteadyTime::max();
  return std::max((is_cloud ? cloud_lost_ : watched.written) + rule.after, watched.not_before);
}

void FaultActions::arm() {
  auto next = SteadyTime::max();
  for (const auto& [key, watched] : tags_) {
    for (const auto& rule : watched.rules) next = std::min(next, due_at(watched, rule));
  }
  if (next >= armed_) return;
  armed_ = next;
  const auto wait = std::chrono::ceil<Milliseconds>(next - env_.clock.steady());
  env_.executor.post_after(std::max(wait, Milliseconds{0}),
                           [this, lane = lane_] { lane->post([this] { tick(); }); });
}

void FaultActions::tick() {
  armed_ = SteadyTime::max();
  const auto now = env_.clock.steady();
  for (auto& each : tags_) {
    auto& watched = each.second;
    const auto due = std::find_if(watched.rules.begin(), watched.rules.end(),
                                  [&](auto& rule) { return due_at(watched, rule) <= now; });
    if (due != watched.rules.end()) act(each.first, watched, *due);
  }
  arm();
}

void FaultActions::act(const Key& key, Watched& watched, const kind::LossRule& rule) {
  const Action action{key, rule, watched.writes, cloud_lost_at_.value_or(Time{})};
  if (rule.safe_value_json.empty()) {
    return end(action, watched, "agent.value_held", "it keeps its value", false);
  }
  watched.is_acting = true;
  services_.write(
      key.first, {{key.second, rule.safe_value_json, std::nullopt}}, true,
      [this, lane = lane_, action](pipeline::WriteResults results) {
        lane->post([this, action, result = std::move(results.at(0))] { acted(action, result); });
      });
}

void FaultActions::acted(const Action& action, const Result<series::Value>& result) {
  const auto found = tags_.find(action.key);
  if (found == tags_.end()) return;  // The data tag was removed meanwhile.
  auto& watched = found->second;
  watched.is_acting = false;
  const auto& value = action.rule.safe_value_json;
  if (result) {
    end(action, watched, "agent.safe_value_written",
        "its safe value " + value + " was written and read back", true);
  } else if (pipeline::is_refusal(result.error())) {
    end(action, watched, "agent.safe_value_refused",
        "its safe value " + value + " was refused, " + text_of(result.error()), false);
  } else {
    fail(action, watched, result.error());
  }
}

/// Told once; tried until the device takes it or the loss ends.
void FaultActions::fail(const Action& action, Watched& watched, const Error& why) {
  if (!std::exchange(watched.is_failing, true)) {
    const auto told = buffer_.append(event_of(action, "agent.safe_value_failed",
                                              "its safe value " + action.rule.safe_value_json +
                                                  " could not be written yet, " + text_of(why)));
    if (!told) watched.is_failing = false;
    if (told && on_event_) on_event_();
  }
  try_again(watched);
}

void FaultActions::try_again(Watched& watched) {
  watched.not_before = env_.clock.steady() + retry;
  arm();
}

void FaultActions::end(const Action& action, Watched& watched, const std::string& event,
                       const std::string& outcome, bool is_written) {
  auto kept = watched.kept;
  const bool is_cloud = action.rule.of == kind::Loss::cloud;
  if (is_cloud) kept.cloud_loss = action.cloud_loss;
  const bool is_newest = watched.writes == action.writes;  // No writer came back meanwhile.
  if (is_newest && (is_written || !is_cloud)) kept.has_writer = false;
  if (is_newest && is_written) {
    kept.written_at = env_.clock.now();
    kept.fault = kept.tag + " has its safe value " + action.rule.safe_value_json + " since its " +
                 std::string(to_string(action.rule.of)) + " was lost";
  }
  const auto told = store_.write([&](storage::Transaction& transaction) -> Result<void> {
    ECP_TRY_VOID(transaction.get<AgentStore>().put(kept));
    return buffer_.append(transaction, event_of(action, event, outcome));
  });
  if (!told) {
    env_.log.error("agent", "a fault action cannot be journaled, so it runs again",
                   {{"why", told.error().describe()}});
    return try_again(watched);
  }
  if (is_newest && is_written) watched.written = env_.clock.steady();
  watched.kept = std::move(kept);
  watched.not_before = {};
  watched.is_failing = false;
  env_.log.warning("agent", "a fault action ran", {{"tag", action.key.second}, {"did", outcome}});
  arm();
  if (on_event_) on_event_();
}

link::AgentEvent FaultActions::event_of(const Action& action, const std::string& name,
                                        const std::string& outcome) const {
  const auto* const resource = services_.resource(action.key.first);
  const auto service = resource != nullptr ? resource->name : action.key.first.to_string();
  return {name,
          "data tag " + action.key.second + " of " + service + ": the " +
              std::string(to_string(action.rule.of)) + " has been lost for " +
              std::to_string(action.rule.after.count()) + " ms; " + outcome,
          env_.clock.now()};
}

}  // namespace ecp::inline v0::agent
