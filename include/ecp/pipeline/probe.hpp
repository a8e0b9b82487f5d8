// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Finding out what an unknown Modbus TCP device holds: which units answer, what its registers mean
/// in each type and byte order, and which of that is likely. Only reads, ever.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/kind/pipeline_config.hpp>

namespace ecp::inline v0::pipeline {

/// What to ask, and how gently.
struct ProbeOptions {
  std::string host;
  std::uint16_t port = 502;
  std::uint8_t first_unit = 1;
  std::uint8_t last_unit = 247;
  kind::ModbusArea area = kind::ModbusArea::holding_register;
  std::uint16_t first = 0;    ///< Offset on the wire, from 0.
  std::uint16_t count = 10;   ///< 1 .. most_probed
  Milliseconds timeout{300};  ///< Of one request; 10 ms .. 60 s
  Milliseconds delay{0};      ///< Between two requests.
};
inline constexpr std::size_t most_probed = 2'000;    ///< Registers or bits of one probe.
inline constexpr std::size_t most_probed_units = 4;  ///< Whose registers are read; all are named.

/// The words of a command line: "tcp://host:502", "1-247" or "3", "400001-400020" or "400001",
/// "300ms" or "1s". Each fails with `invalid_argument`, saying what is right.
[[nodiscard]] ECP_EXPORT Result<void> read_probe_target(std::string_view text,
                                                        ProbeOptions& options);
[[nodiscard]] ECP_EXPORT Result<void> read_probe_units(std::string_view text,
                                                       ProbeOptions& options);
[[nodiscard]] ECP_EXPORT Result<void> read_probe_range(std::string_view text,
                                                       ProbeOptions& options);
[[nodiscard]] ECP_EXPORT Result<Milliseconds> read_probe_time(std::string_view option,
                                                              std::string_view text);

/// A register or bit: its content, or why there is none.
struct ProbedCell {
  std::optional<std::uint16_t> content;
  std::string problem;
};
/// Consecutive cells of one unit.
struct ProbedRange {
  std::uint8_t unit = 1;
  kind::ModbusArea area = kind::ModbusArea::holding_register;
  std::uint16_t first = 0;
  std::vector<ProbedCell> cells;
};
struct ProbeFindings {
  std::vector<std::uint8_t> units;  ///< That answered, in order.
  std::vector<ProbedRange> ranges;  ///< Of the first of them.
};

/// Ask each unit for the first register, then read the range from those that answer, halving it
/// where the device refuses, so that holes do not hide the rest. Blocks; `tell` gets a line of
/// progress now and then. Fails with `unavailable` (pipeline.probe_unreachable) and `timeout`
/// (pipeline.probe_silent), which say what to try.
[[nodiscard]] ECP_EXPORT Result<ProbeFindings> probe(
    const ProbeOptions& options, const std::function<void(std::string_view)>& tell);

/// The tag of a type and byte order that begins at a cell, with its value; none when a cell is
/// missing or holds no such value.
struct ProbedValue {
  kind::TagConfig tag;
  std::string text;  ///< The value as JSON.
  bool is_plausible = false;
};
[[nodiscard]] ECP_EXPORT std::optional<ProbedValue> read_as(const ProbedRange& range,
                                                            std::size_t cell, kind::TagType type,
                                                            kind::ByteOrder order);
/// The rule of plausibility, in words for people.
[[nodiscard]] ECP_EXPORT std::string_view plausibility_rule() noexcept;

/// The likeliest data tags that fill a range without overlap, one byte order being likelier than a
/// mixture of them.
[[nodiscard]] ECP_EXPORT std::vector<ProbedValue> likely_tags(const ProbedRange& range);

/// What was found, for people.
[[nodiscard]] ECP_EXPORT std::string probe_table(const ProbeFindings& findings);
/// The likely data tags as a pipeline's configuration, and the same as YAML with each value beside.
[[nodiscard]] ECP_EXPORT kind::PipelineConfig probe_config(const ProbeOptions& options,
                                                           const ProbeFindings& findings);
[[nodiscard]] ECP_EXPORT std::string probe_yaml(const ProbeOptions& options,
                                                const ProbeFindings& findings);

}  // namespace ecp::inline v0::pipeline
