// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/json.hpp>
#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/pipeline.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline {
namespace {

std::optional<series::Value> value_of(const json::Value& value) {
  if (value.is_bool()) return series::Value(value.get_bool());
  if (value.is_integer()) return series::Value(value.get_integer());
  if (value.is_number()) return series::Value(value.get_number());
  if (value.is_string()) return series::Value(std::string(value.get_string()));
  return std::nullopt;
}

std::string number_text(double number) { return series::to_json(series::Value(number)); }

/// A number that is not there is beyond every bound.
Result<void> check_range(const kind::TagConfig& tag, const series::Value& value) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  const double number = whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
  if (tag.min && tag.max && number >= *tag.min && number <= *tag.max) return {};
  return Error(reasons::write_out_of_range, {{"value", series::to_json(value)},
                                             {"min", tag.min ? number_text(*tag.min) : "none"},
                                             {"max", tag.max ? number_text(*tag.max) : "none"}});
}

}  // namespace

Result<series::Value> judge_write(const kind::TagConfig& tag, std::string_view value_json,
                                  bool writes_allowed) {
  if (!writes_allowed) return reasons::writes_off;
  if (!tag.writable) return reasons::not_writable;
  const auto wrong = [&] {
    return Error(reasons::write_wrong_type, {{"type", std::string(to_string(tag.type))}});
  };
  const auto document = json::Document::parse(value_json, limits::sample_string + 2);
  if (!document) return wrong();
  auto value = value_of(document->root());
  if (!value) return wrong();
  const bool is_number =
      std::holds_alternative<std::int64_t>(*value) || std::holds_alternative<double>(*value);
  const bool wants_number = tag.type != kind::TagType::boolean && tag.type != kind::TagType::text;
  if (is_number != wants_number) return wrong();
  if (wants_number) ECP_TRY_VOID(check_range(tag, *value));
  ECP_TRY_VOID(modbus::encode_value(tag, *value));
  return std::move(*value);
}

}  // namespace ecp::inline v0::pipeline
