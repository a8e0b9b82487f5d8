// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/edge_node.hpp>

#include <algorithm>

#include <ecp/core/bytes.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>

namespace ecp::inline v0::fleet {
namespace {

std::size_t characters(std::string_view text) {
  return static_cast<std::size_t>(std::count_if(text.begin(), text.end(), [](char octet) {
    return (static_cast<unsigned char>(octet) & 0xc0U) != 0x80U;
  }));
}

Error bad_field(std::string_view field, std::string problem) {
  return {ecp::reasons::bad_field,
          {{"field", std::string(field)}, {"problem", std::move(problem)}}};
}

}  // namespace

std::string_view to_string(ConnectionState state) noexcept {
  switch (state) {
    case ConnectionState::online:
      return "online";
    case ConnectionState::offline:
      return "offline";
    case ConnectionState::never:
      break;
  }
  return "never";
}

Result<ConnectionState> parse_connection_state(std::string_view text) {
  for (const auto state :
       {ConnectionState::never, ConnectionState::online, ConnectionState::offline}) {
    if (text == to_string(state)) return state;
  }
  return bad_field("state", "must be never, online or offline");
}

Result<void> check_name(std::string_view field, std::string_view name) {
  if (!is_clean_utf8(name)) return bad_field(field, "must be text without control characters");
  if (name.empty() || characters(name) > limits::name_length) {
    return bad_field(field,
                     "must have 1 to " + std::to_string(limits::name_length) + " characters");
  }
  if (name.front() == ' ' || name.back() == ' ') {
    return bad_field(field, "must not begin or end with a space");
  }
  return {};
}

Result<void> check_description(std::string_view text) {
  if (!is_clean_utf8(text)) {
    return bad_field("description", "must be text without control characters");
  }
  if (characters(text) > limits::description_length) {
    return bad_field("description", "must have at most " +
                                        std::to_string(limits::description_length) + " characters");
  }
  return {};
}

}  // namespace ecp::inline v0::fleet
