// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cassert>
#include <charconv>
#include <cmath>

#include <ecp/core/json.hpp>

#include "core/text.hpp"

namespace ecp::inline v0::json {
namespace {

// States of one open array or object.
constexpr char array_empty = '[';
constexpr char array_filled = ']';
constexpr char object_empty = '{';
constexpr char object_filled = '}';

// Only asserted.
[[maybe_unused]] bool is_object(char state) {
  return state == object_empty || state == object_filled;
}

void append_control(std::string& out, unsigned char control) {
  constexpr std::string_view digits = "0123456789abcdef";
  switch (control) {
    case '\n':
      out += "\\n";
      return;
    case '\r':
      out += "\\r";
      return;
    case '\t':
      out += "\\t";
      return;
    default:
      out += "\\u00";
      out += digits[control >> 4];
      out += digits[control & 15];
  }
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t position = 0; position < text.size();) {
    const std::size_t begin = position;
    const auto point = text::next_code_point(text, position);
    if (!point) {
      out += "\xEF\xBF\xBD";
      ++position;
    } else if (*point < 0x20) {
      append_control(out, static_cast<unsigned char>(*point));
    } else {
      if (*point == '"' || *point == '\\') out += '\\';
      out.append(text, begin, position - begin);
    }
  }
  out += '"';
}

template <class Number>
void append_number(std::string& out, Number number) {
  std::array<char, 32> text{};
  const auto outcome = std::to_chars(text.data(), text.data() + text.size(), number);
  out.append(text.data(), outcome.ptr);
}

}  // namespace

Writer::Writer() = default;

void Writer::separate() {
  if (after_key_) {
    after_key_ = false;
    return;
  }
  if (nesting_.empty()) return;
  char& state = nesting_.back();
  assert(!is_object(state));  // A member needs its key.
  if (state == array_filled) out_ += ',';
  state = array_filled;
}

Writer& Writer::begin_object() {
  separate();
  out_ += '{';
  nesting_.push_back(object_empty);
  return *this;
}

Writer& Writer::end_object() {
  assert(!nesting_.empty() && is_object(nesting_.back()) && !after_key_);
  nesting_.pop_back();
  out_ += '}';
  return *this;
}

Writer& Writer::begin_array() {
  separate();
  out_ += '[';
  nesting_.push_back(array_empty);
  return *this;
}

Writer& Writer::end_array() {
  assert(!nesting_.empty() && !is_object(nesting_.back()));
  nesting_.pop_back();
  out_ += ']';
  return *this;
}

Writer& Writer::key(std::string_view name) {
  assert(!nesting_.empty() && is_object(nesting_.back()) && !after_key_);
  if (nesting_.back() == object_filled) out_ += ',';
  nesting_.back() = object_filled;
  append_text(out_, name);
  out_ += ':';
  after_key_ = true;
  return *this;
}

Writer& Writer::value(std::string_view text) {
  separate();
  append_text(out_, text);
  return *this;
}

Writer& Writer::value(std::int64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

Writer& Writer::value(std::uint64_t number) {
  separate();
  append_number(out_, number);
  return *this;
}

Writer& Writer::value(double number) {
  if (!std::isfinite(number)) return null();
  separate();
  append_number(out_, number);
  return *this;
}

Writer& Writer::value(bool flag) { return raw(flag ? "true" : "false"); }

Writer& Writer::null() { return raw("null"); }

Writer& Writer::raw(std::string_view text) {
  separate();
  out_ += text;
  return *this;
}

std::string Writer::take() {
  assert(nesting_.empty() && !after_key_);
  return std::exchange(out_, {});
}

}  // namespace ecp::inline v0::json
