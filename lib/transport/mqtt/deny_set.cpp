// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/deny_set.hpp"

namespace ecp::inline v0::transport::deny_set {

namespace {

std::vector<std::string> messages(std::string_view first_verb,
                                  const std::vector<link::AgentId>& agents) {
  std::vector<std::string> texts{std::string(first_verb)};
  std::size_t count = 0;
  for (const auto agent : agents) {
    if (count++ == names_per_message) {
      texts.emplace_back(add_verb);
      count = 1;
    }
    texts.back() += '\n';
    texts.back() += agent.to_string();
  }
  return texts;
}

}  // namespace

std::vector<std::string> replace(const std::vector<link::AgentId>& agents) {
  return messages(replace_verb, agents);
}

std::vector<std::string> add(const std::vector<link::AgentId>& agents) {
  return messages(add_verb, agents);
}

std::string whole(const std::vector<link::AgentId>& agents) {
  std::string text(replace_verb);
  for (const auto agent : agents) text.append("\n").append(agent.to_string());
  return text;
}

}  // namespace ecp::inline v0::transport::deny_set
