// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/config.hpp>

#include <array>
#include <set>
#include <utility>

#include <ecp/core/file.hpp>
#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>

#include "core/config_tree.hpp"
#include "core/text.hpp"

namespace ecp::inline v0 {
namespace {

constexpr std::string_view environment_file = "environment";

struct Unit {
  std::string_view name;
  std::int64_t milliseconds;
};
constexpr std::array units{Unit{"ms", 1}, Unit{"s", 1'000}, Unit{"m", 60'000}, Unit{"h", 3'600'000},
                           Unit{"d", 86'400'000}};

std::optional<Milliseconds> to_duration(std::string_view text) {
  const auto digits = text.substr(0, text.find_first_not_of("0123456789"));
  const auto number = text::to_integer(digits);
  if (!number) return std::nullopt;
  for (const auto& unit : units) {
    if (text.substr(digits.size()) != unit.name) continue;
    std::int64_t product = 0;
    if (__builtin_mul_overflow(*number, unit.milliseconds, &product)) return std::nullopt;
    return Milliseconds{product};
  }
  return std::nullopt;
}

/// In the largest unit that has no remainder.
std::string duration_text(Milliseconds duration) {
  const Unit* best = &units.front();
  for (const auto& unit : units) {
    if (duration.count() != 0 && duration.count() % unit.milliseconds == 0) best = &unit;
  }
  return std::to_string(duration.count() / best->milliseconds) + std::string(best->name);
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

std::vector<std::string> split_list(std::string_view text) {
  std::vector<std::string> items;
  while (!trimmed(text).empty()) {
    const auto comma = text.find(',');
    items.emplace_back(trimmed(text.substr(0, comma)));
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  return items;
}

}  // namespace

struct Config::State {
  std::string file;
  std::string prefix;
  ConfigTree tree;
  EnvironmentVariables overrides;  ///< Those with our prefix.
  std::set<std::string, std::less<>> known;

  [[nodiscard]] std::string variable_of(std::string_view key) const {
    std::string name = prefix + "_";
    for (const char c : key) {
      if (c == '.') {
        name += '_';
      } else {
        name += c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
      }
    }
    return name;
  }
  [[nodiscard]] const std::string* override_of(std::string_view key) const {
    const auto found = overrides.find(variable_of(key));
    return found == overrides.end() ? nullptr : &found->second;
  }
  /// The node of a key that has a value.
  [[nodiscard]] const ConfigNode* node_of(std::string_view key) const {
    const auto found = tree.find(key);
    if (found == tree.end() || found->second.form == ConfigNode::Form::empty) return nullptr;
    return &found->second;
  }
  /// Where a key stands, or the nearest section that should hold it, which may be the whole file.
  [[nodiscard]] int line_of(std::string_view key) const {
    while (true) {
      const auto found = tree.find(key);
      if (found != tree.end()) return found->second.line;
      const auto dot = key.rfind('.');
      if (dot == std::string_view::npos) return 1;
      key = key.substr(0, dot);
    }
  }
  /// True for a key that was asked for, and for an empty or filled section around one.
  [[nodiscard]] bool is_known(const std::string& key, ConfigNode::Form form) const {
    if (known.contains(key)) return true;
    if (form != ConfigNode::Form::section && form != ConfigNode::Form::empty) return false;
    const auto next = known.lower_bound(key + ".");
    return next != known.end() && next->starts_with(key + ".");
  }
};

Config::Config(std::unique_ptr<State> state) : state_(std::move(state)) {}
Config::~Config() = default;
Config::Config(Config&&) noexcept = default;
Config& Config::operator=(Config&&) noexcept = default;

Result<Config> Config::load(const std::string& path, std::string_view prefix,
                            const EnvironmentVariables& environment) {
  auto text = read_file(path, limits::config_file);
  if (!text) return std::move(text).error().within("while reading the configuration");
  return parse(*text, path, prefix, environment);
}

Result<Config> Config::parse(std::string_view text, std::string name, std::string_view prefix,
                             const EnvironmentVariables& environment) {
  if (text.size() > limits::config_file) {
    return bad_config(name, 0, "", "is larger than " + std::to_string(limits::config_file));
  }
  auto state = std::make_unique<State>();
  ECP_TRY(state->tree, parse_config_tree(text, name));
  state->file = std::move(name);
  state->prefix = prefix;
  const std::string start = state->prefix + "_";
  for (const auto& variable : environment) {
    if (!prefix.empty() && variable.first.starts_with(start)) state->overrides.insert(variable);
  }
  return Config(std::move(state));
}

bool Config::has(std::string_view key) const {
  return state_->override_of(key) != nullptr || state_->node_of(key) != nullptr;
}

Error Config::bad(std::string_view key, std::string_view problem) const {
  if (state_->override_of(key)) return bad_config(environment_file, 0, key, problem);
  return bad_config(state_->file, state_->line_of(key), key, problem);
}

Result<std::string> Config::text(std::string_view key) {
  state_->known.emplace(key);
  if (const auto* value = state_->override_of(key)) return *value;
  const auto* node = state_->node_of(key);
  if (!node) return bad(key, "is missing");
  if (node->form != ConfigNode::Form::scalar) return bad(key, "must be a single value");
  return node->items.front();
}

Result<std::string> Config::text_or(std::string_view key, std::string fallback) {
  if (has(key)) return text(key);
  state_->known.emplace(key);
  return fallback;
}

Result<std::int64_t> Config::integer_or(std::string_view key, std::int64_t fallback,
                                        std::int64_t min, std::int64_t max) {
  ECP_TRY(const auto word, text_or(key, std::to_string(fallback)));
  const auto number = text::to_integer(word);
  if (number && *number >= min && *number <= max) return *number;
  return bad(
      key, "must be a whole number between " + std::to_string(min) + " and " + std::to_string(max));
}

Result<bool> Config::boolean_or(std::string_view key, bool fallback) {
  ECP_TRY(const auto word, text_or(key, fallback ? "true" : "false"));
  if (word != "true" && word != "false") return bad(key, "must be true or false");
  return word == "true";
}

Result<Milliseconds> Config::duration_or(std::string_view key, Milliseconds fallback,
                                         Milliseconds min, Milliseconds max) {
  ECP_TRY(const auto word, text_or(key, duration_text(fallback)));
  const auto duration = to_duration(word);
  if (duration && *duration >= min && *duration <= max) return *duration;
  return bad(key, "must be a duration between " + duration_text(min) + " and " +
                      duration_text(max) + ", written like 500ms, 15s, 5m, 24h or 90d");
}

Result<std::vector<std::string>> Config::texts_or(std::string_view key,
                                                  std::vector<std::string> fallback) {
  state_->known.emplace(key);
  if (const auto* value = state_->override_of(key)) return split_list(*value);
  const auto* node = state_->node_of(key);
  if (!node) return fallback;
  if (node->form != ConfigNode::Form::list) return bad(key, "must be a list");
  return node->items;
}

Result<void> Config::finish() const {
  for (const auto& entry : state_->tree) {
    if (!state_->is_known(entry.first, entry.second.form)) {
      return bad_config(state_->file, entry.second.line, entry.first, "is not a known key");
    }
  }
  std::set<std::string, std::less<>> variables;
  for (const auto& key : state_->known) variables.insert(state_->variable_of(key));
  for (const auto& entry : state_->overrides) {
    if (!variables.contains(entry.first)) {
      return bad_config(environment_file, 0, entry.first, "stands for no known key");
    }
  }
  return {};
}

}  // namespace ecp::inline v0
