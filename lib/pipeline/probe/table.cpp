// SPDX-License-Identifier: Apache-2.0
#include <array>
#include <cstdio>

#include <ecp/pipeline/probe.hpp>

#include "pipeline/probe/numbers.hpp"

namespace ecp::inline v0::pipeline {
namespace {

using kind::ByteOrder;
using kind::ModbusArea;
using kind::TagType;

constexpr std::size_t column = 24;

std::string padded(std::string text, std::size_t width) {
  if (text.size() < width) text.append(width - text.size(), ' ');
  return text + ' ';
}

std::string_view name_of(ModbusArea area) {
  constexpr std::array<std::string_view, 4> names{"coils", "discrete inputs", "input registers",
                                                  "holding registers"};
  return names[static_cast<std::size_t>(area)];
}

std::string_view name_of(ByteOrder order) {
  constexpr std::array<std::string_view, 4> names{"abcd", "cdab", "badc", "dcba"};
  return names[static_cast<std::size_t>(order)];
}

std::string hex(std::uint16_t content) {
  std::array<char, 8> text{};
  std::snprintf(text.data(), text.size(), "0x%04X", unsigned{content});
  return text.data();
}

std::string characters(std::uint16_t content) {
  std::string text;
  for (const int octet : {content >> 8, content & 0xff}) {
    text += octet >= ' ' && octet <= '~' ? static_cast<char>(octet) : '.';
  }
  return text;
}

/// The value with its mark; "-" when there is none.
std::string seen_as(const ProbedRange& range, std::size_t cell, TagType type, ByteOrder order) {
  const auto value = read_as(range, cell, type, order);
  if (!value) return "-";
  return value->text + (value->is_plausible ? " *" : "");
}

void add_cells(std::string& out, const ProbedRange& range) {
  const bool has_words =
      range.area == ModbusArea::input_register || range.area == ModbusArea::holding_register;
  out += has_words ? "address  hex     uint16    int16     text\n" : "address  value\n";
  for (std::size_t i = 0; i < range.cells.size(); ++i) {
    const auto& cell = range.cells[i];
    out += padded(cell_number(range, i), 8);
    if (!cell.content) {
      std::size_t last = i;
      while (last + 1 < range.cells.size() && !range.cells[last + 1].content &&
             range.cells[last + 1].problem == cell.problem) {
        ++last;
      }
      if (last > i) out += "to " + cell_number(range, last) + ": ";
      i = last;
      out += cell.problem + '\n';
    } else if (!has_words) {
      out += (*cell.content != 0 ? "true\n" : "false\n");
    } else {
      out += padded(hex(*cell.content), 7);
      out += padded(seen_as(range, i, TagType::uint16, ByteOrder::abcd), 9);
      out += padded(seen_as(range, i, TagType::int16, ByteOrder::abcd), 9);
      out += characters(*cell.content) + '\n';
    }
  }
}

/// All byte orders of one type, from each register on: one that is shifted by a register shows too.
void add_type(std::string& out, const ProbedRange& range, TagType type) {
  constexpr std::array orders{ByteOrder::abcd, ByteOrder::cdab, ByteOrder::badc, ByteOrder::dcba};
  std::string rows;
  for (std::size_t i = 0; i < range.cells.size(); ++i) {
    std::string row = padded(cell_number(range, i), 8);
    bool has_value = false;
    for (const auto order : orders) {
      const auto text = seen_as(range, i, type, order);
      has_value = has_value || text != "-";
      row += padded(text, column);
    }
    row.erase(row.find_last_not_of(' ') + 1);
    if (has_value) rows += row + '\n';
  }
  if (rows.empty()) return;
  out += '\n' + std::string(to_string(type)) + ", from\n" + padded("address", 8);
  for (const auto order : orders) out += padded(std::string(name_of(order)), column);
  out.erase(out.find_last_not_of(' ') + 1);
  out += '\n' + rows;
}

std::string order_of(const kind::TagConfig& tag) {
  const bool is_long = kind::register_count(tag.type, 0) > 1 && tag.type != TagType::text;
  return is_long ? std::string(name_of(tag.byte_order)) : "-";
}

void add_likely(std::string& out, const ProbedRange& range) {
  out += "\nLikely data tags of unit " + std::to_string(range.unit) + "\n" + padded("address", 16) +
         padded("type", 8) + padded("byte order", 11) + "value\n";
  for (const auto& likely : likely_tags(range)) {
    out += padded(likely.tag.address_text, 16) +
           padded(std::string(to_string(likely.tag.type)), 8) + padded(order_of(likely.tag), 11) +
           likely.text + '\n';
  }
}

std::string list_of(const std::vector<std::uint8_t>& units) {
  std::string text;
  for (std::size_t i = 0; i < units.size(); ++i) {
    std::size_t last = i;
    while (last + 1 < units.size() && units[last + 1] == units[last] + 1) ++last;
    text += (text.empty() ? "" : ", ") + std::to_string(units[i]);
    if (last > i) text += (last > i + 1 ? " to " : ", ") + std::to_string(units[last]);
    i = last;
  }
  return text;
}

}  // namespace

std::string probe_table(const ProbeFindings& findings) {
  std::string out = "Units that answer: " + list_of(findings.units) + '\n';
  if (findings.units.size() > findings.ranges.size()) {
    out += "Only the first " + std::to_string(findings.ranges.size()) +
           " are read; name another by --units. A device that answers for every unit has no units: "
           "take 1.\n";
  }
  for (const auto& range : findings.ranges) {
    out += "\nUnit " + std::to_string(range.unit) + ", " + std::string(name_of(range.area)) +
           "; * marks what is plausible: " + std::string(plausibility_rule()) + "\n\n";
    add_cells(out, range);
    if (range.area == ModbusArea::coil || range.area == ModbusArea::discrete_input) continue;
    for (const auto type : {TagType::float32, TagType::int32, TagType::uint32, TagType::float64,
                            TagType::int64, TagType::uint64}) {
      add_type(out, range, type);
    }
    add_likely(out, range);
  }
  return out;
}

kind::PipelineConfig probe_config(const ProbeOptions& options, const ProbeFindings& findings) {
  kind::GroupConfig group;
  group.name = "probed";
  for (const auto& range : findings.ranges) {
    for (auto& likely : likely_tags(range)) {
      if (findings.ranges.size() > 1) {
        likely.tag.name = "u" + std::to_string(range.unit) + "_" + likely.tag.name;
      }
      group.tags.push_back(std::move(likely.tag));
    }
  }
  kind::DriverConfig driver;
  driver.name = "device";
  driver.type = "modbus-tcp";
  driver.host = options.host;
  driver.port = options.port;
  driver.groups.push_back(std::move(group));
  kind::PipelineConfig config;
  config.drivers.push_back(std::move(driver));
  return config;
}

std::string probe_yaml(const ProbeOptions& options, const ProbeFindings& findings) {
  const auto config = probe_config(options, findings);
  const auto& driver = config.drivers.front();
  std::string out =
      "# Likely data tags; give them names, and check each value against the device's manual.\n"
      "# Registers that hold 0 or cannot be read are left out.\ndrivers:\n";
  out += "  - name: " + driver.name + "\n    type: " + driver.type + "\n    host: \"" +
         driver.host + "\"\n    port: " + std::to_string(driver.port) +
         "\n    groups:\n      - name: " + driver.groups.front().name +
         "\n        interval_ms: 1000\n        tags:";
  if (driver.groups.front().tags.empty()) return out + " []\n";
  out += '\n';
  std::vector<ProbedValue> likely;
  for (const auto& range : findings.ranges) {
    for (auto& each : likely_tags(range)) likely.push_back(std::move(each));
  }
  for (std::size_t i = 0; i < likely.size(); ++i) {
    const auto& tag = driver.groups.front().tags[i];
    std::string line = "          - {name: " + tag.name + ", address: \"" + tag.address_text +
                       "\", type: " + std::string(to_string(tag.type));
    if (const auto order = order_of(tag); order != "-") line += ", byte_order: " + order;
    out += padded(line + "}", 84) + "# " + likely[i].text + '\n';
  }
  return out;
}

}  // namespace ecp::inline v0::pipeline
