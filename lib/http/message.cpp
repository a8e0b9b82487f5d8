// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/http/message.hpp>
#include <ecp/http/reasons.hpp>

#include "http/text.hpp"

namespace ecp::inline v0::http {

BodyWriter::~BodyWriter() = default;

std::string_view to_string(Method method) noexcept {
  switch (method) {
    case Method::get:
      return "GET";
    case Method::head:
      return "HEAD";
    case Method::post:
      return "POST";
    case Method::put:
      return "PUT";
    case Method::patch:
      return "PATCH";
    case Method::del:
      return "DELETE";
    case Method::options:
      return "OPTIONS";
  }
  return "GET";
}

void Headers::add(std::string name, std::string value) {
  fields_.emplace_back(std::move(name), std::move(value));
}

void Headers::set(std::string name, std::string value) {
  std::erase_if(fields_, [&](const auto& field) { return text::equal_no_case(field.first, name); });
  add(std::move(name), std::move(value));
}

std::optional<std::string_view> Headers::find(std::string_view name) const noexcept {
  for (const auto& [key, value] : fields_) {
    if (text::equal_no_case(key, name)) return value;
  }
  return std::nullopt;
}

std::string_view Request::parameter(std::string_view name) const noexcept {
  for (const auto& [key, value] : parameters) {
    if (key == name) return value;
  }
  return {};
}

namespace {

/// Calls `visit(name, value)` with the raw halves of each `name=value` until it returns false.
template <class Visit>
void for_each_query(std::string_view query, Visit visit) {
  while (!query.empty()) {
    const auto end = std::min(query.find('&'), query.size());
    const auto part = query.substr(0, end);
    query.remove_prefix(std::min(end + 1, query.size()));
    if (part.empty()) continue;
    const auto equals = std::min(part.find('='), part.size());
    if (!visit(part.substr(0, equals), part.substr(std::min(equals + 1, part.size())))) return;
  }
}

}  // namespace

Result<std::optional<std::string>> Request::query_value(std::string_view name) const {
  Result<std::optional<std::string>> found = std::optional<std::string>();
  for_each_query(query, [&](std::string_view raw_name, std::string_view raw_value) {
    const auto decoded = text::percent_decode(raw_name, text::Plus::is_space);
    if (!decoded) {
      found = reasons::bad_encoding;
      return false;
    }
    if (*decoded != name) return true;
    auto value = text::percent_decode(raw_value, text::Plus::is_space);
    if (value) {
      found = std::optional<std::string>(std::move(*value));
    } else {
      found = reasons::bad_encoding;
    }
    return false;
  });
  return found;
}

std::vector<std::string> Request::query_names() const {
  std::vector<std::string> names;
  for_each_query(query, [&](std::string_view raw_name, std::string_view) {
    auto decoded = text::percent_decode(raw_name, text::Plus::is_space);
    names.push_back(decoded ? std::move(*decoded) : std::string(raw_name));
    return true;
  });
  return names;
}

}  // namespace ecp::inline v0::http

namespace ecp::inline v0::http::text {

bool equal_no_case(std::string_view left, std::string_view right) noexcept {
  return std::equal(left.begin(), left.end(), right.begin(), right.end(),
                    [](char a, char b) { return to_lower(a) == to_lower(b); });
}

namespace {

int hex_digit(char letter) noexcept {
  if (letter >= '0' && letter <= '9') return letter - '0';
  const char lower = to_lower(letter);
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

}  // namespace

std::optional<std::string> percent_decode(std::string_view coded, Plus plus) {
  std::string out;
  out.reserve(coded.size());
  for (std::size_t i = 0; i < coded.size(); ++i) {
    if (coded[i] == '+' && plus == Plus::is_space) {
      out.push_back(' ');
    } else if (coded[i] != '%') {
      out.push_back(coded[i]);
    } else {
      if (i + 2 >= coded.size()) return std::nullopt;
      const int high = hex_digit(coded[i + 1]);
      const int low = hex_digit(coded[i + 2]);
      if (high < 0 || low < 0) return std::nullopt;
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    }
  }
  return out;
}

std::optional<std::string> normal_path(std::string_view coded) {
  if (coded.empty() || coded.front() != '/') return std::nullopt;
  auto path = percent_decode(coded, Plus::is_plus);
  if (!path || !is_clean_utf8(*path)) return std::nullopt;
  std::string_view rest = *path;
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const auto end = std::min(rest.find('/'), rest.size());
    const auto segment = rest.substr(0, end);
    const bool last = end == rest.size();
    if (segment == "." || segment == ".." || (segment.empty() && !last)) return std::nullopt;
    if (segment.find('\\') != std::string_view::npos) return std::nullopt;
    rest.remove_prefix(end);
  }
  return path;
}

}  // namespace ecp::inline v0::http::text
