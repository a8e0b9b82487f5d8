// SPDX-License-Identifier: Apache-2.0
#include "series/compact_samples.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cmath>
#include <optional>
#include <utility>

#include <ecp/core/limits.hpp>
#include <ecp/series/reasons.hpp>

namespace ecp::inline v0::series::compact {
namespace {

// The octet before each sample.
constexpr unsigned other_tag = 1;
constexpr unsigned other_time = 2;
constexpr unsigned other_form = 4;
constexpr unsigned small_shift = 3;  // Above: a small number, or that a number follows.
constexpr unsigned number_follows = 31;

// A form: bits 0-1 quality, bit 2 late, bits 3-5 type, bits 6-7 decimals.
enum class Type : std::uint8_t { none, no, yes, whole, real, text, decimal, short_real };
constexpr unsigned type_shift = 3;
constexpr unsigned type_mask = 7;
constexpr unsigned decimals_shift = 6;
constexpr unsigned late_bit = 4;
constexpr unsigned quality_mask = 3;
constexpr std::array powers{1.0, 10.0, 100.0, 1'000.0};
constexpr double largest_whole = 9'007'199'254'740'992.0;

Type type_of(unsigned form) { return static_cast<Type>(form >> type_shift & type_mask); }
constexpr unsigned coding(Type type, unsigned decimals = 0) {
  return static_cast<unsigned>(type) << type_shift | decimals << decimals_shift;
}
constexpr unsigned coding_bits = ~(quality_mask | late_bit);

std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1U ^ (difference >> 63U != 0 ? ~std::uint64_t{0} : 0);
}
std::uint64_t unzigzag(std::uint64_t number) {
  return number >> 1U ^ ((number & 1U) != 0 ? ~std::uint64_t{0} : 0);
}

/// The value times a power of ten when that is a whole number that gives back the very value.
std::optional<std::uint64_t> as_decimal(double value, unsigned decimals) {
  const double scaled = std::nearbyint(value * powers.at(decimals));
  if (!(std::fabs(scaled) < largest_whole)) return std::nullopt;
  const auto whole = static_cast<std::int64_t>(scaled);
  const double back = static_cast<double>(whole) / powers.at(decimals);
  if (std::bit_cast<std::uint64_t>(back) != std::bit_cast<std::uint64_t>(value))
    return std::nullopt;
  return static_cast<std::uint64_t>(whole);
}

std::optional<std::uint64_t> as_short_real(double value) {
  if (!std::isfinite(value) || std::fabs(value) > 3.0e38) return std::nullopt;
  const auto shorter = static_cast<float>(value);
  if (std::bit_cast<std::uint64_t>(static_cast<double>(shorter)) !=
      std::bit_cast<std::uint64_t>(value)) {
    return std::nullopt;
  }
  return std::bit_cast<std::uint32_t>(shorter);
}

/// How a value is told: its coding, and the number that stands for it where one does.
struct Told {
  unsigned coding = 0;
  std::uint64_t number = 0;
};

/// The shortest way that keeps every bit, but the one used last while that will do.
Told tell_real(double value, unsigned last_form) {
  const auto last = last_form & coding_bits;
  if (last == coding(Type::short_real)) {
    if (const auto bits = as_short_real(value)) return {last, *bits};
  }
  const bool was_decimal =
      last_form != Expectation::Tag::no_form && type_of(last_form) == Type::decimal;
  for (unsigned decimals = was_decimal ? last >> decimals_shift : 0; decimals < powers.size();
       ++decimals) {
    if (const auto whole = as_decimal(value, decimals)) {
      return {coding(Type::decimal, decimals), *whole};
    }
  }
  if (const auto bits = as_short_real(value)) return {coding(Type::short_real), *bits};
  return {coding(Type::real), 0};
}

Told tell(const Sample& sample, unsigned last_form, std::uint64_t error) {
  if (sample.quality == Quality::bad) return {coding(Type::none), error};
  if (const auto* flag = std::get_if<bool>(&sample.value)) {
    return {coding(*flag ? Type::yes : Type::no), 0};
  }
  if (const auto* whole = std::get_if<std::int64_t>(&sample.value)) {
    return {coding(Type::whole), static_cast<std::uint64_t>(*whole)};
  }
  if (const auto* real = std::get_if<double>(&sample.value)) return tell_real(*real, last_form);
  return {coding(Type::text), 0};
}

/// The number as told: what changed since the tag's last one.
std::uint64_t change(Type type, std::uint64_t number, std::uint64_t last) {
  if (type == Type::whole || type == Type::decimal) return zigzag(number - last);
  return type == Type::short_real ? number ^ last : number;
}
std::uint64_t changed(Type type, std::uint64_t told, std::uint64_t last) {
  if (type == Type::whole || type == Type::decimal) return last + unzigzag(told);
  return type == Type::short_real ? told ^ last : told;
}

bool has_number(Type type) {
  return type == Type::none || type == Type::whole || type == Type::decimal ||
         type == Type::short_real;
}

/// Another way of coding begins from nothing.
void take_form(Expectation::Tag& tag, unsigned form) {
  if ((tag.form & coding_bits) != (form & coding_bits)) tag.last = 0;
  tag.form = form;
}

Error bad(std::string_view problem) {
  return {reasons::bad_block, {{"problem", std::string(problem)}}};
}

}  // namespace

Expectation::Tag& Expectation::come(std::uint64_t coming) {
  const auto least = static_cast<std::size_t>(std::max(coming, before)) + 1;
  while (tags.size() < least) tags.push_back({Tag::no_form, 0, tags.size() + 1});
  tags[static_cast<std::size_t>(before)].next = coming;
  before = coming;
  auto& state = tags[static_cast<std::size_t>(coming)];
  tag = state.next;
  return state;
}

void SampleWriter::add(const Sample& sample, std::uint64_t tag, std::uint64_t error) {
  const bool is_other_tag = tag != expected_.tag;
  auto& state = expected_.come(tag);
  const auto told = tell(sample, state.form, error);
  const auto form =
      static_cast<unsigned>(sample.quality) | (sample.late ? late_bit : 0U) | told.coding;
  const auto time = to_ms(sample.time);
  const bool is_other_time = time != expected_.time;
  const bool is_other_form = form != state.form;
  take_form(state, form);
  const auto type = type_of(form);
  const auto number = has_number(type) ? change(type, told.number, state.last) : 0;
  const bool is_small = number < number_follows;
  out_.octet(static_cast<std::uint8_t>(
      (is_other_tag ? other_tag : 0U) | (is_other_time ? other_time : 0U) |
      (is_other_form ? other_form : 0U) |
      (is_small ? static_cast<unsigned>(number) : number_follows) << small_shift));
  if (is_other_tag) out_.number(tag);
  if (is_other_time) out_.signed_number(time - expected_.time);
  if (is_other_form) out_.octet(static_cast<std::uint8_t>(form));
  if (!is_small) out_.number(number);
  if (type == Type::real) out_.real(std::get<double>(sample.value));
  if (type == Type::text) out_.text(std::get<std::string>(sample.value));
  expected_.time = time;
  state.last = told.number;
}

Result<Sample> SampleReader::next() {
  const auto head = in_.octet();
  if (!head) return bad("a sample is damaged");
  std::optional<std::uint64_t> tag = expected_.tag;
  std::optional<std::int64_t> step = 0;
  if ((*head & other_tag) != 0) tag = in_.number();
  if (!tag || *tag >= tags_.size()) return bad("a sample has an unknown tag");
  if ((*head & other_time) != 0) step = in_.signed_number();
  if (!step) return bad("a time is damaged");
  auto& state = expected_.come(*tag);
  if ((*head & other_form) != 0) {
    const auto form = in_.octet();
    if (!form) return bad("a form is damaged");
    take_form(state, *form);
  }
  if (state.form == Expectation::Tag::no_form) return bad("a sample has no form");
  const auto form = state.form;
  const bool is_bad = (form & quality_mask) == static_cast<unsigned>(Quality::bad);
  if ((form & quality_mask) > 2 || is_bad != (type_of(form) == Type::none)) {
    return bad("a quality has a wrong value");
  }
  expected_.time = static_cast<std::int64_t>(static_cast<std::uint64_t>(expected_.time) +
                                             static_cast<std::uint64_t>(*step));
  Sample sample;
  sample.tag = tags_[static_cast<std::size_t>(*tag)];
  sample.time = from_ms(expected_.time);
  sample.quality = static_cast<Quality>(form & quality_mask);
  sample.late = (form & late_bit) != 0;
  ECP_TRY(sample.value, value(state, *head >> small_shift));
  if (!is_bad) return sample;
  if (state.last >= errors_.size()) return bad("an error is damaged");
  sample.error = errors_[static_cast<std::size_t>(state.last)];
  sample.value = 0.0;
  return sample;
}

Result<Value> SampleReader::value(Expectation::Tag& tag, unsigned small) {
  const auto type = type_of(tag.form);
  const auto decimals = tag.form >> decimals_shift;
  if (decimals != 0 && type != Type::decimal) return bad("a form is not known");
  if (!has_number(type) && small != 0) return bad("a sample is damaged");
  std::optional<std::uint64_t> number = small;
  if (small == number_follows) number = in_.number();
  if (!number) return bad("a value is damaged");
  tag.last = changed(type, *number, tag.last);
  switch (type) {
    case Type::none:
      return Value(0.0);
    case Type::no:
      return Value(false);
    case Type::yes:
      return Value(true);
    case Type::whole:
      return Value(static_cast<std::int64_t>(tag.last));
    case Type::decimal:
      return Value(static_cast<double>(static_cast<std::int64_t>(tag.last)) / powers.at(decimals));
    case Type::short_real:
      if (tag.last >> 32U != 0) break;
      return Value(static_cast<double>(std::bit_cast<float>(static_cast<std::uint32_t>(tag.last))));
    case Type::real:
      if (const auto real = in_.real()) return Value(*real);
      break;
    case Type::text:
      if (const auto text = in_.text(limits::sample_string)) return Value(std::string(*text));
      break;
  }
  return bad("a value is damaged");
}

}  // namespace ecp::inline v0::series::compact
