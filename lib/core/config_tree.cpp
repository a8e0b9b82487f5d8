// SPDX-License-Identifier: Apache-2.0
#include "core/config_tree.hpp"

#include <yaml-cpp/eventhandler.h>
#include <yaml-cpp/exceptions.h>
#include <yaml-cpp/mark.h>
#include <yaml-cpp/parser.h>

#include <algorithm>
#include <optional>
#include <sstream>
#include <utility>

#include <ecp/core/limits.hpp>
#include <ecp/core/reasons.hpp>

#include "core/text.hpp"

namespace ecp::inline v0 {
namespace {

constexpr std::size_t shown_key = 64;

int line_of(const YAML::Mark& mark) { return mark.line + 1; }

bool is_key(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
  });
}

/// Takes the events of one document; after the first problem it ignores the rest.
class TreeBuilder final : public YAML::EventHandler {
 public:
  explicit TreeBuilder(std::string_view file) : file_(file) {}

  void OnDocumentStart(const YAML::Mark& mark) override {
    if (++documents_ > 1) fail(mark, "the file must hold one document only");
  }
  void OnDocumentEnd() override {}

  void OnNull(const YAML::Mark& mark, YAML::anchor_t anchor) override {
    if (admit(mark, "", anchor)) put(mark, ConfigNode::Form::empty, {});
  }
  void OnAlias(const YAML::Mark& mark, YAML::anchor_t /*anchor*/) override {
    fail(mark, "aliases are not allowed");
  }
  void OnScalar(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                const std::string& value) override {
    if (!admit(mark, tag, anchor)) return;
    if (is_key_expected()) {
      take_key(mark, value);
    } else {
      put(mark, ConfigNode::Form::scalar, value);
    }
  }
  void OnSequenceStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                       YAML::EmitterStyle::value /*style*/) override {
    if (!admit(mark, tag, anchor)) return;
    if (levels_.empty() || is_key_expected() || levels_.back().is_list) {
      return fail(mark, "a list must stand behind a key");
    }
    put(mark, ConfigNode::Form::list, {});
    levels_.push_back({levels_.back().key, {}, true});
  }
  void OnSequenceEnd() override { close(); }
  void OnMapStart(const YAML::Mark& mark, const std::string& tag, YAML::anchor_t anchor,
                  YAML::EmitterStyle::value /*style*/) override {
    if (!admit(mark, tag, anchor)) return;
    if (!levels_.empty() && (is_key_expected() || levels_.back().is_list)) {
      return fail(mark, "a mapping must stand behind a key");
    }
    if (levels_.size() >= limits::json_depth) return fail(mark, "the nesting is too deep");
    std::string path;
    if (!levels_.empty()) {
      path = levels_.back().key;
      put(mark, ConfigNode::Form::section, {});
    }
    levels_.push_back({std::move(path), {}, false});
  }
  void OnMapEnd() override { close(); }

  [[nodiscard]] const std::optional<Error>& problem() const { return problem_; }
  [[nodiscard]] ConfigTree take() { return std::move(tree_); }

 private:
  struct Level {
    std::string path;  ///< Of the section, or of the list itself.
    std::string key;   ///< Whole path of the key whose value comes next; empty: a key comes next.
    bool is_list;
    int line = 0;  ///< Of the key.
  };

  [[nodiscard]] bool is_key_expected() const {
    return !levels_.empty() && !levels_.back().is_list && levels_.back().key.empty();
  }
  void fail(const YAML::Mark& mark, std::string_view problem) {
    if (problem_) return;
    problem_ = bad_config(file_, line_of(mark), levels_.empty() ? "" : current_path(), problem);
  }
  [[nodiscard]] const std::string& current_path() const {
    return levels_.back().key.empty() ? levels_.back().path : levels_.back().key;
  }
  bool admit(const YAML::Mark& mark, std::string_view tag, YAML::anchor_t anchor) {
    if (anchor != YAML::NullAnchor) fail(mark, "anchors are not allowed");
    // "?" and "!" are what the parser says for plain and quoted content without a tag.
    if (!tag.empty() && tag != "?" && tag != "!") fail(mark, "tags are not allowed");
    return !problem_;
  }
  void close() {
    if (problem_) return;
    levels_.pop_back();
    if (!levels_.empty()) levels_.back().key.clear();
  }
  void take_key(const YAML::Mark& mark, const std::string& name) {
    if (!is_key(name)) {
      return fail(mark, "holds the key '" + text::clip(name, shown_key) +
                            "', but keys are of a-z, 0-9 and _");
    }
    auto& level = levels_.back();
    level.line = line_of(mark);
    level.key = level.path.empty() ? name : level.path + "." + name;
    if (tree_.contains(level.key)) fail(mark, "stands twice");
  }
  /// Note what stands behind the current key, or one more item of the current list.
  void put(const YAML::Mark& mark, ConfigNode::Form form, const std::string& value) {
    if (levels_.empty()) {
      if (form != ConfigNode::Form::empty) fail(mark, "the file must hold a mapping of keys");
      return;
    }
    auto& level = levels_.back();
    if (level.is_list) {
      if (form != ConfigNode::Form::scalar) return fail(mark, "has an empty item");
      tree_[level.path].items.push_back(value);
      return;
    }
    if (level.key.empty()) return fail(mark, "has an empty key");
    auto& node = tree_[level.key];
    node.form = form;
    node.line = level.line;
    if (form == ConfigNode::Form::scalar) node.items.push_back(value);
    const bool is_whole = form == ConfigNode::Form::scalar || form == ConfigNode::Form::empty;
    if (is_whole) level.key.clear();
  }

  std::string_view file_;
  std::vector<Level> levels_;
  ConfigTree tree_;
  std::optional<Error> problem_;
  int documents_ = 0;
};

Result<void> check_encoding(std::string_view text, std::string_view file) {
  int line = 1;
  for (std::size_t position = 0; position < text.size();) {
    const auto point = text::next_code_point(text, position);
    if (!point || *point == 0) return bad_config(file, line, "", "the text is not UTF-8");
    if (*point == '\n') ++line;
  }
  return {};
}

}  // namespace

Error bad_config(std::string_view file, int line, std::string_view key, std::string_view problem) {
  return {reasons::bad_config,
          {{"file", std::string(file)},
           {"line", std::to_string(line)},
           {"key", key.empty() ? "the configuration" : std::string(key)},
           {"problem", std::string(problem)}}};
}

Result<ConfigTree> parse_config_tree(std::string_view text, std::string_view file) {
  ECP_TRY_VOID(check_encoding(text, file));
  TreeBuilder builder(file);
  try {
    // The end marker makes a quote that is never closed an error: without it the parser takes the
    // end of a truncated file for the end of the text.
    std::istringstream stream{std::string(text) + "\n...\n"};
    YAML::Parser parser(stream);
    while (!builder.problem() && parser.HandleNextDocument(builder)) {
    }
  } catch (const YAML::Exception& problem) {
    if (!builder.problem()) {
      return bad_config(file, line_of(problem.mark), "", "is not valid YAML: " + problem.msg);
    }
  }
  if (builder.problem()) return *builder.problem();
  return builder.take();
}

}  // namespace ecp::inline v0
