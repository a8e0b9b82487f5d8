// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Who may do what on the broker of the agent link, decided from names and topics alone.

#include <string>
#include <string_view>
#include <unordered_set>

namespace ecp::inline v0::transport::guard {

enum class Action { publish, deliver, subscribe, unsubscribe };

struct Attempt {
  std::string_view name;   ///< Common name of the client's certificate.
  std::string_view topic;  ///< Or filter.
  Action action;
  bool retain = false;
};

/// True for the names that `Attempt::name` may be: an agent id, or "ecpd-" and a word.
[[nodiscard]] bool is_agent_name(std::string_view name);
[[nodiscard]] bool is_replica_name(std::string_view name);

/// The rules without the deny set. Whatever no rule allows is refused.
[[nodiscard]] bool allows(const Attempt& attempt);

/// Names of revoked agents.
class DenySet {
 public:
  enum class Outcome { refused, replaced, added };
  /// Take a message of the control topic as a whole or not at all.
  Outcome take(std::string_view message);
  [[nodiscard]] bool holds(std::string_view name) const;
  [[nodiscard]] const std::unordered_set<std::string>& names() const noexcept { return names_; }

 private:
  std::unordered_set<std::string> names_;
};

}  // namespace ecp::inline v0::transport::guard
