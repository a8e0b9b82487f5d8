// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/json.hpp>

// A name of our own: the program may have another RapidJSON with other options.
#define RAPIDJSON_NAMESPACE ecp_rapidjson
#define RAPIDJSON_NAMESPACE_BEGIN namespace ecp_rapidjson {
#define RAPIDJSON_NAMESPACE_END }
#include <rapidjson/document.h>
#include <rapidjson/error/en.h>
#include <rapidjson/reader.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstddef>
#include <span>
#include <string>
#include <utility>

#include <ecp/core/reasons.hpp>

#include "core/text.hpp"

namespace ecp::inline v0::json {
namespace {

namespace rj = ecp_rapidjson;

// Numbers come as text, because RapidJSON's exact conversion runs into undefined behaviour on a
// zero with an exponent, and its fast one is not exact. What is no UTF-8 is found before.
constexpr unsigned parse_flags =
    rj::kParseInsituFlag | rj::kParseIterativeFlag | rj::kParseNumbersAsStringsFlag;

// Of a document of usual size, so that reading it allocates once for each.
constexpr std::size_t usual_stack = 1'024;  ///< Octets of RapidJSON's own.
constexpr std::size_t usual_names = 32;
constexpr std::size_t usual_depth = 8;
/// Up to so many members are compared pair by pair.
constexpr std::size_t few_names = 24;

/// Beyond these not every whole number is a double.
constexpr double largest_whole = 9'007'199'254'740'992.0;

const rj::Value& node_of(const void* node) { return *static_cast<const rj::Value*>(node); }

std::string_view text_of(const rj::Value& value) {
  return {value.GetString(), value.GetStringLength()};
}

Error bad_json(std::string_view problem, std::size_t offset) {
  return {reasons::bad_json,
          {{"problem", std::string(problem)}, {"offset", std::to_string(offset)}}};
}

/// Return the whole text as a number of this type; none when it is beyond the type.
template <class Number>
std::optional<Number> to_number(std::string_view text) {
  Number number{};
  const auto [end, problem] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (problem != std::errc{} || end != text.data() + text.size()) return std::nullopt;
  return number;
}

/// True when a number beyond double's range is too large rather than too close to zero: its first
/// significant digit stands before the decimal point once the exponent is applied.
bool is_too_large(std::string_view number) {
  if (number.starts_with('-')) number.remove_prefix(1);
  const auto mantissa = number.substr(0, number.find_first_of("eE"));
  std::int64_t exponent = 0;
  if (mantissa.size() < number.size()) {
    auto digits = number.substr(mantissa.size() + 1);
    if (digits.starts_with('+')) digits.remove_prefix(1);
    const std::int64_t beyond_all = digits.starts_with('-') ? -1'000'000'000 : 1'000'000'000;
    exponent = text::to_integer(digits).value_or(beyond_all);
  }
  const auto point = static_cast<std::int64_t>(std::min(mantissa.find('.'), mantissa.size()));
  const auto first = static_cast<std::int64_t>(mantissa.find_first_not_of("0."));
  return exponent > (first < point ? first - point : first - point - 1);
}

/// Return the second of two equal names, if there are such.
std::optional<std::string_view> second_of_equals(std::span<std::string_view> names) {
  if (names.size() <= few_names) {
    for (auto name = names.begin(); name != names.end(); ++name) {
      if (std::find(names.begin(), name, *name) != name) return *name;
    }
    return std::nullopt;
  }
  // Equal ones side by side, the later one behind.
  std::sort(names.begin(), names.end(), [](std::string_view left, std::string_view right) {
    const int order = left.compare(right);
    return order != 0 ? order < 0 : left.data() < right.data();
  });
  const auto twice = std::adjacent_find(names.begin(), names.end());
  if (twice == names.end()) return std::nullopt;
  return twice[1];
}

/// Passes events on to the tree while it checks what RapidJSON does not: depth, duplicate names
/// and lone surrogates. Parsing is in place, so that every text points into the buffer at the
/// offset where it stood.
class Checker {
 public:
  using Ch = char;

  Checker(rj::Document& tree, const char* begin) : tree_(tree), begin_(begin) {
    names_.reserve(usual_names);
    first_names_.reserve(usual_depth);
  }

  bool Null() { return tree_.Null(); }
  bool Bool(bool flag) { return tree_.Bool(flag); }
  // Part of the handler's form; numbers come by RawNumber.
  bool Int(int number) { return tree_.Int(number); }
  bool Uint(unsigned number) { return tree_.Uint(number); }
  bool Int64(std::int64_t number) { return tree_.Int64(number); }
  bool Uint64(std::uint64_t number) { return tree_.Uint64(number); }
  bool Double(double number) { return tree_.Double(number); }
  bool RawNumber(const char* text, unsigned size, bool /*copy*/) {
    const std::string_view number(text, size);
    if (const auto whole = to_number<std::int64_t>(number)) return tree_.Int64(*whole);
    if (const auto whole = to_number<std::uint64_t>(number)) return tree_.Uint64(*whole);
    if (const auto real = to_number<double>(number)) return tree_.Double(*real);
    if (is_too_large(number)) return fail("a number is too large", number);
    return tree_.Double(0.0);
  }
  bool String(const char* text, unsigned size, bool copy) {
    return check_text({text, size}) && tree_.String(text, size, copy);
  }
  bool Key(const char* text, unsigned size, bool copy) {
    if (!check_text({text, size})) return false;
    names_.emplace_back(text, size);
    return tree_.Key(text, size, copy);
  }
  bool StartObject() {
    first_names_.push_back(names_.size());
    return descend() && tree_.StartObject();
  }
  bool EndObject(unsigned count) {
    --depth_;
    const auto first = first_names_.back();
    first_names_.pop_back();
    const auto twice =
        second_of_equals({names_.begin() + static_cast<std::ptrdiff_t>(first), names_.end()});
    if (twice) return fail("a member name stands twice in one object", *twice);
    names_.resize(first);
    return tree_.EndObject(count);
  }
  bool StartArray() { return descend() && tree_.StartArray(); }
  bool EndArray(unsigned count) {
    --depth_;
    return tree_.EndArray(count);
  }

  [[nodiscard]] const char* problem() const { return problem_; }
  [[nodiscard]] std::optional<std::size_t> offset() const { return offset_; }

 private:
  bool fail(const char* problem, std::string_view text) {
    problem_ = problem;
    offset_ = static_cast<std::size_t>(text.data() - begin_);
    return false;
  }
  bool check_text(std::string_view text) {
    return text::is_utf8(text) || fail("a surrogate stands alone", text);
  }
  bool descend() {
    if (++depth_ <= limits::json_depth) return true;
    problem_ = "the nesting is too deep";
    return false;
  }

  rj::Document& tree_;
  const char* begin_;
  std::size_t depth_ = 0;
  std::vector<std::string_view> names_;   ///< Of all open objects.
  std::vector<std::size_t> first_names_;  ///< Where each open object's names begin.
  const char* problem_ = nullptr;
  std::optional<std::size_t> offset_;
};

/// Refuse what an in-place parser would take for the end or change the meaning of.
Result<void> check_octets(std::string_view text, std::size_t max_size) {
  if (text.size() > max_size) {
    return bad_json("it is longer than " + std::to_string(max_size) + " octets", max_size);
  }
  for (auto position = text::skip_plain(text, 0); position < text.size();
       position = text::skip_plain(text, position)) {
    const std::size_t here = position;
    const auto point = text::next_code_point(text, position);
    if (!point) return bad_json("it is not UTF-8", here);
    if (*point == 0) return bad_json("it contains an octet 0", here);
  }
  return {};
}

std::size_t chunk_size(std::size_t text_size) {
  return std::clamp<std::size_t>(text_size * 2, 512, 64 * kibibyte);
}

void write_value(Writer& writer, const rj::Value& value) {
  if (value.IsObject()) {
    writer.begin_object();
    for (const auto& member : value.GetObject()) {
      writer.key(text_of(member.name));
      write_value(writer, member.value);
    }
    writer.end_object();
  } else if (value.IsArray()) {
    writer.begin_array();
    for (const auto& element : value.GetArray()) write_value(writer, element);
    writer.end_array();
  } else if (value.IsString()) {
    writer.value(text_of(value));
  } else if (value.IsInt64()) {
    writer.value(std::int64_t{value.GetInt64()});
  } else if (value.IsUint64()) {
    writer.value(std::uint64_t{value.GetUint64()});
  } else if (value.IsNumber()) {
    writer.value(value.GetDouble());
  } else if (value.IsBool()) {
    writer.value(value.GetBool());
  } else {
    writer.null();
  }
}

}  // namespace

struct Document::Tree {
  explicit Tree(std::string_view text)
      : buffer(text), allocator(chunk_size(text.size())), document(&allocator, usual_stack) {}

  std::string buffer;  ///< Texts of the tree point into it.
  rj::MemoryPoolAllocator<> allocator;
  rj::Document document;
};

Document::Document(std::unique_ptr<Tree> tree) : tree_(std::move(tree)) {}
Document::~Document() = default;
Document::Document(Document&&) noexcept = default;
Document& Document::operator=(Document&&) noexcept = default;

Result<Document> Document::parse(std::string_view text, std::size_t max_size) {
  ECP_TRY_VOID(check_octets(text, max_size));
  auto tree = std::make_unique<Tree>(text);
  rj::InsituStringStream stream(tree->buffer.data());
  rj::Reader reader;
  rj::ParseResult outcome;
  Checker checker(tree->document, tree->buffer.data());
  auto parse_once = [&](rj::Document& /*tree*/) {
    outcome = reader.Parse<parse_flags>(stream, checker);
    return !outcome.IsError();
  };
  tree->document.Populate(parse_once);
  if (!outcome.IsError()) return Document(std::move(tree));
  if (checker.problem()) {
    return bad_json(checker.problem(), checker.offset().value_or(outcome.Offset()));
  }
  std::string_view problem = rj::GetParseError_En(outcome.Code());
  if (problem.ends_with('.')) problem.remove_suffix(1);  // It stands inside a sentence of ours.
  return bad_json(problem, outcome.Offset());
}

Value Document::root() const { return Value(static_cast<const rj::Value*>(&tree_->document)); }

bool Value::is_null() const noexcept { return node_of(node_).IsNull(); }
bool Value::is_bool() const noexcept { return node_of(node_).IsBool(); }
bool Value::is_number() const noexcept { return node_of(node_).IsNumber(); }
bool Value::is_string() const noexcept { return node_of(node_).IsString(); }
bool Value::is_array() const noexcept { return node_of(node_).IsArray(); }
bool Value::is_object() const noexcept { return node_of(node_).IsObject(); }

bool Value::is_integer() const noexcept {
  const auto& node = node_of(node_);
  if (node.IsInt64()) return true;
  if (!node.IsDouble()) return false;
  const double number = node.GetDouble();  // 5.0 and 1e3 are whole, too.
  return std::abs(number) <= largest_whole && std::trunc(number) == number;
}

bool Value::get_bool() const noexcept { return node_of(node_).IsTrue(); }

std::int64_t Value::get_integer() const noexcept {
  if (!is_integer()) return 0;
  const auto& node = node_of(node_);
  return node.IsInt64() ? node.GetInt64() : static_cast<std::int64_t>(node.GetDouble());
}

double Value::get_number() const noexcept { return is_number() ? node_of(node_).GetDouble() : 0.0; }

std::string_view Value::get_string() const noexcept {
  return is_string() ? text_of(node_of(node_)) : std::string_view();
}

std::size_t Value::size() const noexcept {
  const auto& node = node_of(node_);
  if (node.IsArray()) return node.Size();
  return node.IsObject() ? node.MemberCount() : 0;
}

Value Value::at(std::size_t index) const {
  assert(is_array() && index < size());
  return Value(&node_of(node_)[static_cast<rj::SizeType>(index)]);
}

std::optional<Value> Value::find(std::string_view name) const noexcept {
  if (!is_object()) return std::nullopt;
  const auto& node = node_of(node_);
  for (auto member = node.MemberBegin(); member != node.MemberEnd(); ++member) {
    if (text_of(member->name) == name) return Value(&member->value);
  }
  return std::nullopt;
}

std::pair<std::string_view, Value> Value::member(std::size_t index) const {
  assert(is_object() && index < size());
  const auto member = node_of(node_).MemberBegin() + static_cast<std::ptrdiff_t>(index);
  return {text_of(member->name), Value(&member->value)};
}

std::string Value::to_text() const {
  Writer writer;
  write_value(writer, node_of(node_));
  return writer.take();
}

}  // namespace ecp::inline v0::json
