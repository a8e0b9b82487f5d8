// SPDX-License-Identifier: Apache-2.0
#include <ecp/transport/channel.hpp>

#include <algorithm>

#include <ecp/transport/agent_gateway.hpp>
#include <ecp/transport/agent_link.hpp>
#include <ecp/transport/session_cutter.hpp>

namespace ecp::inline v0::transport {

AgentGateway::~AgentGateway() = default;
SessionCutter::~SessionCutter() = default;
AgentLink::~AgentLink() = default;

bool is_channel_word(std::string_view text) noexcept {
  return !text.empty() && text.size() <= 64 && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || c == '_' || c == '-';
  });
}

}  // namespace ecp::inline v0::transport
