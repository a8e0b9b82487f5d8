// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cmath>

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

double number_of(const series::Value& value) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  return whole != nullptr ? static_cast<double>(*whole) : std::get<double>(value);
}

/// A number that is not there is beyond every bound.
Result<void> check_range(const kind::TagConfig& tag, const series::Value& value) {
  const double number = number_of(value);
  if (tag.min && tag.max && number >= *tag.min && number <= *tag.max) return {};
  return Error(reasons::write_out_of_range, {{"value", series::to_json(value)},
                                             {"min", tag.min ? number_text(*tag.min) : "none"},
                                             {"max", tag.max ? number_text(*tag.max) : "none"}});
}

/// How far what is read back of a number may be from what was written, for want of digits.
double rounding_of(const kind::TagConfig& tag, double first, double second) {
  const double digits = tag.type == kind::TagType::float32 ? 1e-6 : 1e-12;
  return digits * std::max(std::abs(first), std::abs(second));
}

Result<void> check_step(const kind::TagConfig& tag, const series::Value& value,
                        const std::optional<series::Value>& current) {
  if (!tag.max_step) return {};
  const bool is_known = current && (std::holds_alternative<std::int64_t>(*current) ||
                                    std::holds_alternative<double>(*current));
  if (!is_known) return reasons::write_step_unknown;
  const double from = number_of(*current);
  const double to = number_of(value);
  if (std::abs(to - from) <= *tag.max_step + rounding_of(tag, from, to)) return {};
  return Error(reasons::write_step_too_large, {{"value", series::to_json(value)},
                                               {"step", number_text(*tag.max_step)},
                                               {"current", series::to_json(*current)}});
}

Result<void> check_interval(const kind::TagConfig& tag, std::optional<Milliseconds> since_write) {
  if (!since_write || *since_write >= tag.min_interval) return {};
  return Error(reasons::write_too_soon, {{"since", std::to_string(since_write->count())},
                                         {"interval", std::to_string(tag.min_interval.count())}});
}

/// The value as the tag's type, within its range.
Result<series::Value> judge_value(const kind::TagConfig& tag, std::string_view value_json) {
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

}  // namespace

Result<series::Value> judge_write(const kind::TagConfig& tag, std::string_view value_json,
                                  const WriteCircumstances& circumstances) {
  if (!circumstances.writes_allowed) return reasons::writes_off;
  if (!tag.writable) return reasons::not_writable;
  ECP_TRY(auto value, judge_value(tag, value_json));
  if (!circumstances.is_safe_value) {
    ECP_TRY_VOID(check_step(tag, value, circumstances.current));
    ECP_TRY_VOID(check_interval(tag, circumstances.since_write));
  }
  return value;
}

bool is_refusal(const Error& error) noexcept {
  constexpr std::array refusals{
      &reasons::unknown_tag,        &reasons::not_writable,     &reasons::writes_off,
      &reasons::write_out_of_range, &reasons::write_wrong_type, &reasons::write_does_not_fit,
      &reasons::write_step_unknown, &reasons::write_too_soon,   &reasons::write_step_too_large};
  return std::any_of(refusals.begin(), refusals.end(),
                     [&error](const Reason* refusal) { return error.is(*refusal); });
}

}  // namespace ecp::inline v0::pipeline
