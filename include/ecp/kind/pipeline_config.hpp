// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Configuration of a pipeline service: drivers, groups, data tags. Both ends check it with the
/// same code: the plane when it is set, the agent before it is applied.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/link/ids.hpp>

namespace ecp::inline v0::kind {

/// Type of a data tag as stored in registers.
enum class TagType : std::uint8_t {
  boolean,
  int16,
  uint16,
  int32,
  uint32,
  int64,
  uint64,
  float32,
  float64,
  text
};
[[nodiscard]] ECP_EXPORT std::string_view to_string(TagType type) noexcept;
/// Registers of 16 bits that a type takes; for text, `text_registers` of the tag.
[[nodiscard]] ECP_EXPORT std::size_t register_count(TagType type, std::size_t text_registers);

/// Order of the octets of 32 and 64 bit values, A the most significant pair's high octet:
/// abcd big-endian, cdab word-swapped, badc byte-swapped, dcba little-endian.
enum class ByteOrder : std::uint8_t { abcd, cdab, badc, dcba };

/// Memory area of a Modbus device.
enum class ModbusArea : std::uint8_t { coil, discrete_input, input_register, holding_register };

/// "1!400001": unit 1, holding register 1 (the first). First digit 0 coil, 1 discrete input,
/// 3 input register, 4 holding register; then the number from 1 in five digits (or more).
/// "1!400001.10H" for text: 10 registers, high octet first (L: low first); "1!400001.3": bit 3.
struct ModbusAddress {
  std::uint8_t unit = 1;
  ModbusArea area = ModbusArea::holding_register;
  std::uint16_t offset = 0;  ///< On the wire, from 0.
  std::optional<std::uint8_t> bit;
  std::size_t text_registers = 0;
  bool text_low_first = false;
};
[[nodiscard]] ECP_EXPORT Result<ModbusAddress> parse_modbus_address(std::string_view text);

/// Whose absence a writable data tag minds: the control plane's, that is the agent's link to it, or
/// that of the writer, who is there as long as he writes the tag again in time, be it the same
/// value.
enum class Loss : std::uint8_t { cloud, writer };
[[nodiscard]] ECP_EXPORT std::string_view to_string(Loss loss) noexcept;

/// What becomes of a data tag when somebody has been away for a time.
struct LossRule {
  Loss of = Loss::cloud;
  Milliseconds after{0};        ///< 100 ms .. 24 h
  std::string safe_value_json;  ///< Written then; empty: the value is held, and that is told.
};

struct TagConfig {
  std::string name;
  std::string address_text;
  ModbusAddress address;
  TagType type = TagType::uint16;
  ByteOrder byte_order = ByteOrder::abcd;
  double scale = 1.0;            ///< value = raw * scale
  int precision = -1;            ///< Decimals to round to, 0..17; -1: as it is.
  double deadband = 0.0;         ///< A numeric value is reported when it moved by more than this.
  bool report_unchanged = true;  ///< False: only changes are reported.
  bool writable = false;
  std::optional<double> min;  ///< Required for writable numeric tags, in scaled units.
  std::optional<double> max;
  std::optional<double> max_step;  ///< Largest change in one write, from the value read last.
  Milliseconds min_interval{0};    ///< Between two writes, whoever writes; at most 24 h.
  std::vector<LossRule> on_loss;   ///< At most one of each loss.
};
struct GroupConfig {
  std::string name;
  Milliseconds interval{1000};  ///< 10 ms .. 1 h
  std::vector<TagConfig> tags;
};
struct DriverConfig {
  std::string name;
  std::string type;  ///< "modbus-tcp"
  std::string host;
  std::uint16_t port = 502;
  Milliseconds timeout{1000};  ///< Of one request.
  int max_in_flight = 1;       ///< Requests under way at once on the connection.
  int retries = 0;
  Milliseconds back_off_min{500};  ///< After a failure, doubling to the maximum, jittered.
  Milliseconds back_off_max{30'000};
  int registers_per_read = 125;  ///< 1..125
  int gap_registers = 10;        ///< Unwanted registers read to merge two requests.
  std::vector<GroupConfig> groups;
};
/// The body of a "service/svc_..." resource of kind pipeline.
struct PipelineConfig {
  std::vector<DriverConfig> drivers;
};

/// Parse and check the JSON {"drivers":[...]}. Unknown fields are refused; each error names its
/// field: "drivers[0].groups[1].tags[2].address".
[[nodiscard]] ECP_EXPORT Result<PipelineConfig> parse_pipeline_config(std::string_view text);
[[nodiscard]] ECP_EXPORT std::string to_json(const PipelineConfig& config);

/// "driver/group/tag" split; none when it is not of that form.
struct TagPath {
  std::string driver;
  std::string group;
  std::string tag;
};
[[nodiscard]] ECP_EXPORT std::optional<TagPath> parse_tag_path(std::string_view text);
[[nodiscard]] ECP_EXPORT const TagConfig* find_tag(const PipelineConfig& config,
                                                   std::string_view path) noexcept;

/// Body of a manifest's "service/svc_..." resource for any kind.
struct ServiceResource {
  link::EdgeServiceId id;
  std::string name;
  std::string kind;     ///< "pipeline"
  std::string runtime;  ///< "builtin"
  bool running = true;  ///< Desired: running or stopped.
  std::string config_json;
};
[[nodiscard]] ECP_EXPORT std::string to_json(const ServiceResource& resource);
[[nodiscard]] ECP_EXPORT Result<ServiceResource> parse_service_resource(std::string_view text);

}  // namespace ecp::inline v0::kind
