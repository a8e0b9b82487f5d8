// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/plugin/guard.hpp"

#include <algorithm>

#include "transport/mqtt/deny_set.hpp"
#include "transport/mqtt/topics.hpp"

namespace ecp::inline v0::transport::guard {

namespace {

constexpr std::string_view agent_prefix = "node_";
constexpr std::size_t agent_word_size = 26;
constexpr std::size_t max_replica_name = 69;

bool is_word(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

bool has_wildcard(std::string_view text) {
  return text.find_first_of("+#") != std::string_view::npos;
}

bool agent_may(const Attempt& attempt) {
  std::string_view rest = attempt.topic;
  if (!take_prefix(rest, topics::agents) || !take_prefix(rest, attempt.name) ||
      !take_prefix(rest, "/")) {
    return false;
  }
  if (attempt.action != Action::publish) return take_prefix(rest, topics::down);
  return !attempt.retain && !has_wildcard(rest) &&
         (take_prefix(rest, topics::up) || take_prefix(rest, topics::to)) && !rest.empty();
}

/// "<agent>/up/..." or "<agent>/to/<own id>/...", the agent being a name or, in filters, '+'.
bool is_own_upward(std::string_view rest, std::string_view replica, bool is_filter) {
  const auto slash = rest.find('/');
  if (slash == std::string_view::npos) return false;
  const auto agent = rest.substr(0, slash);
  if (!is_agent_name(agent) && !(is_filter && agent == "+")) return false;
  rest.remove_prefix(slash + 1);
  if (take_prefix(rest, topics::up)) return true;
  return take_prefix(rest, topics::to) && take_prefix(rest, replica) && take_prefix(rest, "/");
}

bool replica_may_publish(std::string_view topic) {
  if (topic == topics::control) return true;
  if (take_prefix(topic, topics::replicas)) return !topic.empty() && !has_wildcard(topic);
  if (!take_prefix(topic, topics::agents)) return false;
  const auto slash = topic.find('/');
  return slash != std::string_view::npos && is_agent_name(topic.substr(0, slash)) &&
         topic.substr(slash + 1, topics::down.size()) == topics::down && !has_wildcard(topic);
}

bool replica_may(const Attempt& attempt) {
  std::string_view topic = attempt.topic;
  if (attempt.action == Action::publish) return !attempt.retain && replica_may_publish(topic);
  const bool is_filter = attempt.action != Action::deliver;
  if (is_filter && take_prefix(topic, topics::share)) {
    const auto slash = topic.find('/');
    if (slash == std::string_view::npos) return false;
    topic.remove_prefix(slash + 1);
  }
  if (take_prefix(topic, topics::replicas)) return true;
  std::string_view replica = attempt.name;
  return take_prefix(topic, topics::agents) && take_prefix(replica, topics::replica_name) &&
         is_own_upward(topic, replica, is_filter);
}

}  // namespace

bool is_agent_name(std::string_view name) {
  return take_prefix(name, agent_prefix) && name.size() == agent_word_size && is_word(name);
}

bool is_replica_name(std::string_view name) {
  return name.size() <= max_replica_name && take_prefix(name, topics::replica_name) &&
         !name.empty() && is_word(name);
}

bool allows(const Attempt& attempt) {
  if (is_replica_name(attempt.name)) return replica_may(attempt);
  return is_agent_name(attempt.name) && agent_may(attempt);
}

DenySet::Outcome DenySet::take(std::string_view message) {
  const auto next_line = [&message] {
    const auto end = message.find('\n');
    const auto line = message.substr(0, end);
    message.remove_prefix(end == std::string_view::npos ? message.size() : end + 1);
    return line;
  };
  const auto verb = next_line();
  if (verb != deny_set::replace_verb && verb != deny_set::add_verb) return Outcome::refused;
  std::unordered_set<std::string> names;
  while (!message.empty()) {
    const auto name = next_line();
    if (!is_agent_name(name)) return Outcome::refused;
    names.emplace(name);
  }
  if (verb == deny_set::replace_verb) {
    names_ = std::move(names);
    return Outcome::replaced;
  }
  names_.merge(names);
  return Outcome::added;
}

bool DenySet::holds(std::string_view name) const { return names_.count(std::string(name)) > 0; }

}  // namespace ecp::inline v0::transport::guard
