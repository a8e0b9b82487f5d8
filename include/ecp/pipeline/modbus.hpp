// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Modbus TCP as octets: requests, answers, values in registers, and which reads to make. No I/O.

#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/kind/pipeline_config.hpp>
#include <ecp/series/sample.hpp>

namespace ecp::inline v0::pipeline::modbus {

inline constexpr std::size_t most_registers = 125;          ///< Of one read (Modbus 1.1b3, 6.3).
inline constexpr std::size_t most_bits = 2000;              ///< Of one read (6.1).
inline constexpr std::size_t most_written_registers = 123;  ///< Of one write (6.12).

/// One read of consecutive registers or bits of a unit.
struct Read {
  std::uint8_t unit = 1;
  kind::ModbusArea area = kind::ModbusArea::holding_register;
  std::uint16_t offset = 0;
  std::uint16_t count = 0;
  std::vector<std::uint32_t> tags;  ///< Which of the tags given it covers.
};

/// Fewest reads in order of place: neighbours, and those with at most `gap` unwanted registers
/// between them, are read together, at most `registers_per_read` (bits: 16 times as many, at most
/// most_bits).
[[nodiscard]] ECP_EXPORT std::vector<Read> plan_reads(std::span<const kind::TagConfig> tags,
                                                      int registers_per_read, int gap);
/// The same for some of the tags.
[[nodiscard]] ECP_EXPORT std::vector<Read> plan_reads(std::span<const kind::TagConfig> tags,
                                                      std::span<const std::uint32_t> which,
                                                      int registers_per_read, int gap);
/// What a single tag takes.
[[nodiscard]] ECP_EXPORT Read read_of(const kind::TagConfig& tag, std::uint32_t index);

/// Request or answer without its transport head.
struct Frame {
  std::uint16_t transaction = 0;
  std::uint8_t unit = 0;
  Bytes pdu;
};
[[nodiscard]] ECP_EXPORT Bytes encode(const Frame& frame);
/// Take the first whole frame off a stream; none when more octets are needed. Fails with
/// `unavailable` (pipeline.bad_answer) when the octets are no Modbus TCP.
[[nodiscard]] ECP_EXPORT Result<std::optional<Frame>> take_frame(Bytes& stream);

[[nodiscard]] ECP_EXPORT Bytes read_request(const Read& read);
/// Octets of the registers, or of the bits eight to an octet. Fails with pipeline.device_exception
/// or pipeline.bad_answer.
[[nodiscard]] ECP_EXPORT Result<Bytes> read_answer(const Read& read, BytesView pdu);

/// Write from a tag's address on: function 5 for a coil, 6 for one register, 16 for several, which
/// may reach over the tags that follow.
[[nodiscard]] ECP_EXPORT Bytes write_request(const kind::TagConfig& tag, BytesView raw);
[[nodiscard]] ECP_EXPORT Result<void> write_answer(BytesView request, BytesView pdu);

/// The raw octets of a tag inside what `read` answered: registers, or one octet 0 or 1 for a bit.
[[nodiscard]] ECP_EXPORT Bytes raw_of(const kind::TagConfig& tag, const Read& read,
                                      BytesView answer);
/// Raw octets to a value: byte order, scale, precision. Fails with pipeline.bad_value on a float
/// that is not finite and a text that is not UTF-8.
[[nodiscard]] ECP_EXPORT Result<series::Value> decode(const kind::TagConfig& tag, BytesView raw);
/// A value to raw octets. Fails with pipeline.write_wrong_type and pipeline.write_does_not_fit.
[[nodiscard]] ECP_EXPORT Result<Bytes> encode_value(const kind::TagConfig& tag,
                                                    const series::Value& value);

}  // namespace ecp::inline v0::pipeline::modbus
