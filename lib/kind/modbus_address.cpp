// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include <ecp/kind/pipeline_config.hpp>
#include <ecp/kind/reasons.hpp>

namespace ecp::inline v0::kind {
namespace {

constexpr std::size_t most_text_registers = 125;  // What one read takes.

/// Digits alone; none when there is anything else, or too much.
std::optional<std::uint32_t> number_of(std::string_view text) {
  std::uint32_t number = 0;
  const auto* const end = text.data() + text.size();
  const auto read = std::from_chars(text.data(), end, number);
  if (text.empty() || read.ec != std::errc() || read.ptr != end) return std::nullopt;
  return number;
}

std::optional<ModbusArea> area_of(char digit) {
  switch (digit) {
    case '0':
      return ModbusArea::coil;
    case '1':
      return ModbusArea::discrete_input;
    case '3':
      return ModbusArea::input_register;
    case '4':
      return ModbusArea::holding_register;
    default:
      return std::nullopt;
  }
}

/// ".10H", ".10L" or ".3"; return what is wrong with it, or nothing.
std::string_view read_suffix(std::string_view suffix, ModbusAddress& address) {
  const bool registers =
      address.area == ModbusArea::input_register || address.area == ModbusArea::holding_register;
  if (!registers) return "only registers have a bit or text part";
  const char last = suffix.empty() ? '\0' : suffix.back();
  const bool is_text = last == 'H' || last == 'L';
  const auto number = number_of(is_text ? suffix.substr(0, suffix.size() - 1) : suffix);
  if (!number) return "after the dot stands a bit, or a length with H or L";
  if (is_text) {
    if (*number < 1 || *number > most_text_registers) return "a text has 1 to 125 registers";
    address.text_registers = *number;
    address.text_low_first = last == 'L';
    return {};
  }
  if (*number > 15) return "a bit is 0 to 15";
  address.bit = static_cast<std::uint8_t>(*number);
  return {};
}

std::string_view read_address(std::string_view text, ModbusAddress& address) {
  const auto mark = text.find('!');
  if (mark == std::string_view::npos) return "it has the form unit!address";
  const auto unit = number_of(text.substr(0, mark));
  if (!unit || *unit > 255) return "the unit is 0 to 255";
  address.unit = static_cast<std::uint8_t>(*unit);
  auto rest = text.substr(mark + 1);
  const auto dot = rest.find('.');
  const auto digits = rest.substr(0, dot);
  if (digits.size() < 5 || digits.size() > 6) return "the address has five or six digits";
  const auto area = area_of(digits.front());
  if (!area) return "the first digit is 0, 1, 3 or 4";
  address.area = *area;
  const auto number = number_of(digits.substr(1));
  if (!number || *number < 1 || *number > 65'536) return "registers count from 1 to 65536";
  address.offset = static_cast<std::uint16_t>(*number - 1);
  return dot == std::string_view::npos ? std::string_view{}
                                       : read_suffix(rest.substr(dot + 1), address);
}

}  // namespace

Result<ModbusAddress> parse_modbus_address(std::string_view text) {
  ModbusAddress address;
  const auto problem = read_address(text, address);
  if (!problem.empty()) {
    return Error(reasons::bad_address,
                 {{"address", std::string(text.substr(0, 40))}, {"problem", std::string(problem)}});
  }
  return address;
}

}  // namespace ecp::inline v0::kind
