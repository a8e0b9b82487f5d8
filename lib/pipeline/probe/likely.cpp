// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/probe.hpp>

#include "pipeline/probe/numbers.hpp"

namespace ecp::inline v0::pipeline {
namespace {

using kind::ByteOrder;
using kind::ModbusArea;
using kind::TagType;

constexpr double smallest_measure = 1e-3;
constexpr double largest_measure = 1e7;
constexpr double largest_short = 9'999;
constexpr double largest_long_long = 1e13;  // Milliseconds since 1970 fit.
constexpr std::size_t shortest_text = 3;    // Registers; shorter ones are numbers as a rule.

bool is_bit_area(ModbusArea area) {
  return area == ModbusArea::coil || area == ModbusArea::discrete_input;
}

bool is_plausible(TagType type, const series::Value& value) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  const auto* real = std::get_if<double>(&value);
  if (whole == nullptr && real == nullptr) return true;
  const double size = std::abs(whole != nullptr ? static_cast<double>(*whole) : *real);
  if (type == TagType::float32 || type == TagType::float64) {
    return size >= smallest_measure && size <= largest_measure;
  }
  if (size == 0.0) return false;
  const auto registers = kind::register_count(type, 0);
  if (registers == 1) return size <= largest_short;
  // A small number read in the wrong order of words has nothing in its lower half.
  const bool is_shifted = whole == nullptr || (*whole & 0xffff) == 0;
  return !is_shifted && size <= (registers == 2 ? largest_measure : largest_long_long);
}

/// Of a float32 no more digits than it has.
std::string text_of(TagType type, const series::Value& value) {
  const auto* real = std::get_if<double>(&value);
  if (real == nullptr || type != TagType::float32) return series::to_json(value);
  std::array<char, 32> text{};
  const auto end = std::to_chars(text.data(), text.data() + text.size(), static_cast<float>(*real));
  return std::string(text.data(), end.ptr);
}

/// Octets of the cells from `first` on; none when one is missing.
std::optional<Bytes> octets_of(const ProbedRange& range, std::size_t first, std::size_t count) {
  if (first + count > range.cells.size()) return std::nullopt;
  Bytes octets;
  for (std::size_t i = first; i < first + count; ++i) {
    const auto& content = range.cells[i].content;
    if (!content) return std::nullopt;
    if (is_bit_area(range.area)) return Bytes(1, static_cast<char>(*content));
    octets += static_cast<char>(*content >> 8);
    octets += static_cast<char>(*content & 0xff);
  }
  return octets;
}

std::optional<ProbedValue> read_tag(const ProbedRange& range, std::size_t cell, TagType type,
                                    ByteOrder order, std::size_t text_registers) {
  const auto octets = octets_of(range, cell, kind::register_count(type, text_registers));
  if (!octets) return std::nullopt;
  ProbedValue found;
  auto& tag = found.tag;
  const auto number = cell_number(range, cell);
  tag.name = (is_bit_area(range.area) ? "b" : "r") + number;
  tag.address_text = std::to_string(range.unit) + "!" + number;
  if (text_registers > 0) tag.address_text += "." + std::to_string(text_registers) + "H";
  tag.type = type;
  tag.byte_order = order;
  tag.address = {range.unit,   range.area,     static_cast<std::uint16_t>(range.first + cell),
                 std::nullopt, text_registers, false};
  const auto value = modbus::decode(tag, *octets);
  if (!value) return std::nullopt;
  found.text = text_of(type, *value);
  found.is_plausible = is_plausible(type, *value);
  return found;
}

/// Registers from `first` on that hold printable characters, NULs at the end included; 0 when it
/// is no text worth the name.
std::size_t text_length(const ProbedRange& range, std::size_t first) {
  std::size_t length = 0;
  std::size_t letters = 0;
  bool is_over = false;
  while (!is_over && first + length < range.cells.size()) {
    const auto octets = octets_of(range, first + length, 1);
    if (!octets || is_bit_area(range.area)) break;
    const auto is_printable = [](char c) { return c >= ' ' && c <= '~'; };
    const char high = (*octets)[0];
    const char low = (*octets)[1];
    if (!is_printable(high) || (!is_printable(low) && low != '\0')) break;
    for (const char c : *octets) letters += std::isalpha(static_cast<unsigned char>(c)) ? 1 : 0;
    is_over = low == '\0';
    ++length;
  }
  return length >= shortest_text && letters >= length ? length : 0;
}

/// Something that may stand in a range, and how much speaks for it. What fills more registers says
/// more, since chance seldom makes a sensible number of them; but two sensible float32 are likelier
/// than one float64, and the order that the device uses elsewhere likelier than another.
struct Tile {
  ProbedValue value;
  std::size_t length = 1;
  double weight = 0;
};

/// Two small counters beside each other look like one of 32 bits.
bool are_two_words(double number) { return std::fmod(number, 65'536.0) <= largest_short; }

double weight_of(TagType type, const ProbedValue& value) {
  const double number = std::strtod(value.text.c_str(), nullptr);
  switch (type) {
    case TagType::float64:
      return 5.6;
    case TagType::float32:
      return 3.0;
    case TagType::int64:
      return std::abs(number) > 4'294'967'295.0 ? 5.0 : 2.0;
    case TagType::int32:
    case TagType::uint32:
      return number < 0 || (number > 65'535 && !are_two_words(number)) ? 2.2 : 1.3;
    default:
      return number == 0.0 ? 0.5 : value.is_plausible ? (number < 0 ? 0.8 : 1.0) : 0.3;
  }
}

constexpr std::array orders{ByteOrder::abcd, ByteOrder::cdab, ByteOrder::badc, ByteOrder::dcba};

std::vector<Tile> tiles_at(const ProbedRange& range, std::size_t cell, ByteOrder usual) {
  std::vector<Tile> tiles;
  const auto add = [&](TagType type, ByteOrder order, bool needs_plausible) {
    auto value = read_as(range, cell, type, order);
    if (!value || (needs_plausible && !value->is_plausible)) return;
    const auto registers = kind::register_count(type, 0);
    const double against = registers == 4 ? 1.6 : 0.6;
    const double bonus = registers == 1 ? 0.0 : order == usual ? 0.5 : -against;
    const double weight = weight_of(type, *value) + bonus;
    tiles.push_back({std::move(*value), registers, weight});
  };
  if (is_bit_area(range.area)) {
    add(TagType::boolean, ByteOrder::abcd, false);
    return tiles;
  }
  const auto word = read_as(range, cell, TagType::int16, ByteOrder::abcd);
  const bool is_negative = word && word->is_plausible && word->text.front() == '-';
  add(is_negative ? TagType::int16 : TagType::uint16, ByteOrder::abcd, false);
  for (const auto order : orders) {
    for (const auto type : {TagType::float64, TagType::float32, TagType::int64}) {
      add(type, order, true);
    }
    const auto whole = read_as(range, cell, TagType::int32, order);
    const bool below = whole && whole->text.front() == '-';
    add(below ? TagType::int32 : TagType::uint32, order, true);
  }
  if (const auto length = text_length(range, cell); length > 0) {
    auto value = read_tag(range, cell, TagType::text, ByteOrder::abcd, length);
    const double weight = 1.8 * static_cast<double>(length) + 1.0;
    if (value) tiles.push_back({std::move(*value), length, weight});
  }
  return tiles;
}

/// What stands at each cell, for the greatest weight in all.
struct Tiling {
  double weight = 0;
  std::vector<std::optional<Tile>> choice;
};

/// Found from the end on; `usual` is the byte order that the device is taken to use.
Tiling tile(const ProbedRange& range, ByteOrder usual) {
  const auto size = range.cells.size();
  Tiling tiling;
  tiling.choice.resize(size);
  std::vector<double> best(size + 1, 0.0);
  for (std::size_t cell = size; cell-- > 0;) {
    best[cell] = best[cell + 1];
    for (auto& tile : tiles_at(range, cell, usual)) {
      const double weight = tile.weight + best[cell + tile.length];
      if (weight <= best[cell]) continue;
      best[cell] = weight;
      tiling.choice[cell] = std::move(tile);
    }
  }
  tiling.weight = best[0];
  return tiling;
}

}  // namespace

std::string cell_number(const ProbedRange& range, std::size_t cell) {
  constexpr std::array digits{'0', '1', '3', '4'};  // In the order of ModbusArea.
  std::array<char, 16> text{};
  std::snprintf(text.data(), text.size(), "%c%05zu", digits[static_cast<std::size_t>(range.area)],
                range.first + cell + 1);
  return text.data();
}

std::string_view plausibility_rule() noexcept {
  return "a measure between 0.001 and 10,000,000; a whole number, not 0, up to 9,999 in 16 bits, "
         "10,000,000 in 32 and 10^13 in 64";
}

std::optional<ProbedValue> read_as(const ProbedRange& range, std::size_t cell, TagType type,
                                   ByteOrder order) {
  return read_tag(range, cell, type, order, 0);
}

std::vector<ProbedValue> likely_tags(const ProbedRange& range) {
  Tiling best;
  for (const auto usual : orders) {
    auto tiling = tile(range, usual);
    if (best.choice.empty() || tiling.weight > best.weight) best = std::move(tiling);
  }
  std::vector<ProbedValue> tags;
  for (std::size_t cell = 0; cell < best.choice.size();) {
    auto& choice = best.choice[cell];
    cell += choice ? choice->length : 1;
    const bool says_nothing = !choice || choice->value.text == "0";
    if (!says_nothing) tags.push_back(std::move(choice->value));
  }
  return tags;
}

}  // namespace ecp::inline v0::pipeline
