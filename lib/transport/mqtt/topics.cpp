// SPDX-License-Identifier: Apache-2.0
#include "transport/mqtt/topics.hpp"

#include <array>

#include "transport/direction.hpp"

namespace ecp::inline v0::transport::topics {

namespace {

/// Where a kind lives below its agent: folder, word; `{label}` and `{replica}` stand in by kind.
struct Row {
  ChannelKind kind;
  std::string_view folder;
  std::string_view word;
};

constexpr std::array rows{
    Row{ChannelKind::presence, up, "presence"},
    Row{ChannelKind::state, up, "state"},
    Row{ChannelKind::reported, up, "reported"},
    Row{ChannelKind::alarm, up, "alarm"},
    Row{ChannelKind::event, up, "event"},
    Row{ChannelKind::telemetry, up, "telemetry"},  // up/telemetry/{stream}
    Row{ChannelKind::question, up, "call"},        // up/call/{id}
    Row{ChannelKind::answer_up, to, "result"},     // to/{replica}/result/{id}
    Row{ChannelKind::desired, down, "desired"},
    Row{ChannelKind::command, down, "command"},
    Row{ChannelKind::ack, down, "ack"},
    Row{ChannelKind::answer_down, down, "result"},  // down/result/{id}
    Row{ChannelKind::question_down, down, "call"},  // down/call/{replica}/{id}
};

/// Take the part before the next '/' off a topic.
std::string_view next_level(std::string_view& rest) {
  const auto slash = rest.find('/');
  const auto level = rest.substr(0, slash);
  rest = slash == std::string_view::npos ? std::string_view() : rest.substr(slash + 1);
  return level;
}

std::optional<Channel> parse_channel(std::string_view folder, std::string_view rest) {
  Channel channel;
  if (folder == to) channel.replica = next_level(rest);
  const auto word = next_level(rest);
  for (const auto& row : rows) {
    if (row.folder != folder || row.word != word) continue;
    channel.kind = row.kind;
    if (row.kind == ChannelKind::question_down) channel.replica = next_level(rest);
    channel.label = rest;
    if (!check_channel(channel, goes_up(row.kind))) return std::nullopt;
    return channel;
  }
  return std::nullopt;
}

bool take_prefix(std::string_view& text, std::string_view prefix) {
  if (text.substr(0, prefix.size()) != prefix) return false;
  text.remove_prefix(prefix.size());
  return true;
}

}  // namespace

std::string of(link::AgentId agent, const Channel& channel) {
  std::string topic = std::string(agents) + agent.to_string() + "/";
  for (const auto& row : rows) {
    if (row.kind != channel.kind) continue;
    topic += row.folder;
    if (row.kind == ChannelKind::answer_up) topic += channel.replica + "/";
    topic += row.word;
    if (row.kind == ChannelKind::question_down) topic += "/" + channel.replica;
    if (has_label(row.kind)) topic += "/" + channel.label;
  }
  return topic;
}

std::string agent_filter(link::AgentId agent) {
  return std::string(agents) + agent.to_string() + "/" + std::string(down) + "#";
}

std::vector<std::string> gateway_filters(std::string_view replica, std::string_view share_group) {
  const std::string any = std::string(agents) + "+/";
  std::vector<std::string> filters{any + std::string(to) + std::string(replica) + "/#"};
  if (share_group.empty()) {
    filters.push_back(any + std::string(up) + "#");
    return filters;
  }
  filters.emplace_back(changed);
  const std::string shared = std::string(share) + std::string(share_group) + "/";
  for (const auto& row : rows) {
    if (row.folder != up) continue;
    const bool is_for_all = row.kind == ChannelKind::presence || row.kind == ChannelKind::state;
    filters.push_back((is_for_all ? "" : shared) + any + std::string(up) + std::string(row.word) +
                      (has_label(row.kind) ? "/+" : ""));
  }
  return filters;
}

std::optional<std::pair<link::AgentId, Channel>> parse_up(std::string_view topic) {
  if (!take_prefix(topic, agents)) return std::nullopt;
  const auto agent = link::AgentId::parse(next_level(topic));
  const auto folder = take_prefix(topic, up) ? up : take_prefix(topic, to) ? to : "";
  if (!agent || folder.empty()) return std::nullopt;
  auto channel = parse_channel(folder, topic);
  if (!channel) return std::nullopt;
  return std::pair(*agent, std::move(*channel));
}

std::optional<Channel> parse_down(link::AgentId agent, std::string_view topic) {
  const std::string own = agent.to_string();
  if (!take_prefix(topic, agents) || !take_prefix(topic, own) || !take_prefix(topic, "/") ||
      !take_prefix(topic, down)) {
    return std::nullopt;
  }
  return parse_channel(down, topic);
}

}  // namespace ecp::inline v0::transport::topics
