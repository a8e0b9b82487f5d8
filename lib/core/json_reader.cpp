// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/core/json.hpp>
#include <ecp/core/reasons.hpp>

#include "core/text.hpp"

namespace ecp::inline v0::json {
namespace {

// A name comes from outside and may be as long as the document; errors show its beginning.
constexpr std::size_t shown_name = 64;

std::string joined(std::string_view path, std::string_view name) {
  std::string out(path);
  if (!path.empty() && !name.empty()) out += '.';
  return out + text::clip(name, shown_name);
}

std::string number_text(double number) {
  Writer writer;
  writer.value(number);
  return writer.take();
}

std::string range_text(const std::string& min, const std::string& max) {
  return "must be between " + min + " and " + max;
}

}  // namespace

Result<Reader> Reader::open(Value value, std::string path) {
  Reader reader(value, std::move(path));
  if (!value.is_object()) return reader.bad("", "must be an object");
  constexpr std::size_t absent = 8;  // Members that are asked for and not there.
  reader.known_.reserve(value.size() + absent);
  return reader;
}

std::optional<Value> Reader::take(std::string_view name) {
  known_.emplace_back(name);
  const auto found = value_.find(name);
  return found && !found->is_null() ? found : std::nullopt;
}

bool Reader::has(std::string_view name) const noexcept {
  const auto found = value_.find(name);
  return found && !found->is_null();
}

Error Reader::bad(std::string_view name, std::string_view problem) const {
  std::string field = joined(path_, name);
  if (field.empty()) field = "the document";
  return {reasons::bad_field, {{"field", std::move(field)}, {"problem", std::string(problem)}}};
}

Result<std::optional<std::string>> Reader::optional_text(std::string_view name, TextBounds bounds) {
  const auto found = take(name);
  if (!found) return std::nullopt;
  if (!found->is_string()) return bad(name, "must be a text");
  const auto text = found->get_string();
  if (!is_clean_utf8(text)) return bad(name, "must not contain control characters");
  const std::size_t length = text::count_code_points(text);
  if (length < bounds.min || length > bounds.max) {
    return bad(name, "must have " + std::to_string(bounds.min) + " to " +
                         std::to_string(bounds.max) + " characters");
  }
  return std::string(text);
}

Result<std::string> Reader::text(std::string_view name, TextBounds bounds) {
  ECP_TRY(auto found, optional_text(name, bounds));
  if (!found) return bad(name, "is missing");
  return *std::move(found);
}

Result<std::string> Reader::raw_text(std::string_view name, std::size_t max_octets) {
  const auto found = take(name);
  if (!found) return bad(name, "is missing");
  if (!found->is_string()) return bad(name, "must be a text");
  if (found->get_string().size() > max_octets) {
    return bad(name, "must have at most " + std::to_string(max_octets) + " octets");
  }
  return std::string(found->get_string());
}

Result<std::optional<std::int64_t>> Reader::optional_integer(std::string_view name,
                                                             std::int64_t min, std::int64_t max) {
  const auto found = take(name);
  if (!found) return std::nullopt;
  if (!found->is_number()) return bad(name, "must be a whole number");
  const auto number = found->get_integer();
  if (!found->is_integer() || number < min || number > max) {
    return bad(name, "must be a whole number between " + std::to_string(min) + " and " +
                         std::to_string(max));
  }
  return number;
}

Result<std::int64_t> Reader::integer(std::string_view name, std::int64_t min, std::int64_t max) {
  ECP_TRY(const auto found, optional_integer(name, min, max));
  if (!found) return bad(name, "is missing");
  return *found;
}

Result<std::int64_t> Reader::integer_or(std::string_view name, std::int64_t fallback,
                                        std::int64_t min, std::int64_t max) {
  ECP_TRY(const auto found, optional_integer(name, min, max));
  return found.value_or(fallback);
}

Result<std::optional<double>> Reader::optional_number(std::string_view name, double min,
                                                      double max) {
  const auto found = take(name);
  if (!found) return std::nullopt;
  if (!found->is_number()) return bad(name, "must be a number");
  const double number = found->get_number();
  if (number < min || number > max) {
    return bad(name, range_text(number_text(min), number_text(max)));
  }
  return number;
}

Result<double> Reader::number(std::string_view name, double min, double max) {
  ECP_TRY(const auto found, optional_number(name, min, max));
  if (!found) return bad(name, "is missing");
  return *found;
}

Result<double> Reader::number_or(std::string_view name, double fallback, double min, double max) {
  ECP_TRY(const auto found, optional_number(name, min, max));
  return found.value_or(fallback);
}

Result<bool> Reader::boolean(std::string_view name) {
  const auto found = take(name);
  if (!found) return bad(name, "is missing");
  if (!found->is_bool()) return bad(name, "must be true or false");
  return found->get_bool();
}

Result<bool> Reader::boolean_or(std::string_view name, bool fallback) {
  if (has(name)) return boolean(name);
  known_.emplace_back(name);
  return fallback;
}

Result<std::string> Reader::choice(std::string_view name,
                                   std::initializer_list<std::string_view> choices) {
  const auto found = take(name);
  if (!found) return bad(name, "is missing");
  if (found->is_string() &&
      std::find(choices.begin(), choices.end(), found->get_string()) != choices.end()) {
    return std::string(found->get_string());
  }
  std::string problem = "must be one of";
  for (const auto choice : choices) {
    problem += problem.ends_with("of") ? " " : ", ";
    problem += choice;
  }
  return bad(name, problem);
}

Result<Reader> Reader::object(std::string_view name) {
  const auto found = take(name);
  if (!found) return bad(name, "is missing");
  return open(*found, joined(path_, name));
}

Result<std::optional<Reader>> Reader::optional_object(std::string_view name) {
  const auto found = take(name);
  if (!found) return std::nullopt;
  ECP_TRY(auto reader, open(*found, joined(path_, name)));
  return std::optional<Reader>(std::move(reader));
}

Result<std::vector<Value>> Reader::array(std::string_view name, std::size_t max) {
  const auto found = take(name);
  if (!found) return bad(name, "is missing");
  if (!found->is_array()) return bad(name, "must be an array");
  if (found->size() > max) {
    return bad(name, "must have at most " + std::to_string(max) + " elements");
  }
  std::vector<Value> elements;
  elements.reserve(found->size());
  for (std::size_t i = 0; i < found->size(); ++i) elements.push_back(found->at(i));
  return elements;
}

Result<std::vector<Value>> Reader::array_or_empty(std::string_view name, std::size_t max) {
  if (has(name)) return array(name, max);
  known_.emplace_back(name);
  return std::vector<Value>{};
}

std::optional<Value> Reader::optional_value(std::string_view name) { return take(name); }

Result<Value> Reader::value(std::string_view name) {
  const auto found = take(name);
  if (!found) return bad(name, "is missing");
  return *found;
}

Result<void> Reader::finish() const {
  for (std::size_t i = 0; i < value_.size(); ++i) {
    const auto name = value_.member(i).first;
    if (std::find(known_.begin(), known_.end(), name) == known_.end()) {
      return Error{reasons::unknown_field, {{"field", joined(path_, name)}}};
    }
  }
  return {};
}

Result<ObjectDocument> ObjectDocument::parse(std::string_view text, std::size_t max_size) {
  ECP_TRY(auto document, Document::parse(text, max_size));
  ECP_TRY(auto reader, Reader::open(document.root()));
  return ObjectDocument(std::move(document), std::move(reader));
}

}  // namespace ecp::inline v0::json
