// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The plain subset of YAML that configuration files may use.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/result.hpp>

namespace ecp::inline v0 {

/// One key of a configuration file.
struct ConfigNode {
  enum class Form { scalar, list, section, empty };
  Form form = Form::empty;
  std::vector<std::string> items;  ///< One for a scalar.
  int line = 0;                    ///< From 1.
};

/// Dotted path to node.
using ConfigTree = std::map<std::string, ConfigNode, std::less<>>;

/// Make the error core.bad_config.
[[nodiscard]] Error bad_config(std::string_view file, int line, std::string_view key,
                               std::string_view problem);

/// Read nested mappings of scalars and of sequences of scalars. Fails with core.bad_config on
/// everything else YAML has: aliases, anchors, tags, several documents, and on duplicate keys.
[[nodiscard]] Result<ConfigTree> parse_config_tree(std::string_view text, std::string_view file);

}  // namespace ecp::inline v0
