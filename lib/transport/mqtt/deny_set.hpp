// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// How the set of revoked agents is told to the broker's plugin: a verb, then one name a line.

#include <string>
#include <string_view>
#include <vector>

#include <ecp/link/ids.hpp>

namespace ecp::inline v0::transport::deny_set {

inline constexpr std::string_view replace_verb = "set";
inline constexpr std::string_view add_verb = "add";
inline constexpr std::size_t names_per_message = 4'000;  ///< Some 130 KiB.

/// Messages that make `agents` the whole set; at least one, also for none.
std::vector<std::string> replace(const std::vector<link::AgentId>& agents);
/// The same as one text of any size, for a file.
std::string whole(const std::vector<link::AgentId>& agents);
/// Messages that add `agents`.
std::vector<std::string> add(const std::vector<link::AgentId>& agents);

}  // namespace ecp::inline v0::transport::deny_set
