// SPDX-License-Identifier: Apache-2.0
#include <algorithm>
#include <array>
#include <string>
#include <tuple>

#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline::modbus {
namespace {

constexpr std::size_t head_size = 7;   // MBAP: transaction, protocol, length, unit.
constexpr std::size_t most_pdu = 253;  // Modbus 1.1b3, 4.1.

std::uint8_t octet(BytesView octets, std::size_t place) {
  return static_cast<std::uint8_t>(octets[place]);
}

std::uint16_t word(BytesView octets, std::size_t place) {
  return static_cast<std::uint16_t>(octet(octets, place) << 8 | octet(octets, place + 1));
}

void put_octet(Bytes& out, unsigned value) { out.push_back(static_cast<char>(value & 0xff)); }

void put_word(Bytes& out, unsigned value) {
  put_octet(out, value >> 8);
  put_octet(out, value);
}

bool is_bit_area(kind::ModbusArea area) {
  return area == kind::ModbusArea::coil || area == kind::ModbusArea::discrete_input;
}

unsigned read_function(kind::ModbusArea area) {
  switch (area) {
    case kind::ModbusArea::coil:
      return 1;
    case kind::ModbusArea::discrete_input:
      return 2;
    case kind::ModbusArea::holding_register:
      return 3;
    case kind::ModbusArea::input_register:
      return 4;
  }
  return 3;
}

/// Modbus 1.1b3, 7.
std::string_view meaning_of(unsigned code) {
  constexpr std::array<std::string_view, 12> meanings{"unknown",
                                                      "illegal function",
                                                      "illegal data address",
                                                      "illegal data value",
                                                      "device failure",
                                                      "acknowledge",
                                                      "device busy",
                                                      "unknown",
                                                      "memory parity",
                                                      "unknown",
                                                      "gateway path unavailable",
                                                      "gateway target does not answer"};
  return code < meanings.size() ? meanings[code] : "unknown";
}

/// Fails when the answer is an exception, or one to another function.
Result<void> check_function(unsigned function, BytesView pdu) {
  if (pdu.empty()) return reasons::bad_answer;
  if (octet(pdu, 0) == (function | 0x80U)) {
    const unsigned code = pdu.size() > 1 ? octet(pdu, 1) : 0U;
    return Error(reasons::device_exception,
                 {{"code", std::to_string(code)}, {"meaning", std::string(meaning_of(code))}});
  }
  if (octet(pdu, 0) != function) return reasons::bad_answer;
  return {};
}

/// Whether `next` can join `read`, and the count that this would make.
std::optional<std::uint16_t> joined(const Read& read, const Read& next, int registers_per_read,
                                    int gap) {
  if (read.unit != next.unit || read.area != next.area) return std::nullopt;
  const bool bits = is_bit_area(read.area);
  const auto unwanted = static_cast<std::size_t>(bits ? gap * 16 : gap);
  const auto most =
      bits ? std::min<std::size_t>(static_cast<std::size_t>(registers_per_read) * 16, most_bits)
           : static_cast<std::size_t>(registers_per_read);
  const std::size_t end = std::size_t{read.offset} + read.count;
  const std::size_t next_end = std::size_t{next.offset} + next.count;
  if (next.offset > end + unwanted) return std::nullopt;
  const auto count = std::max(end, next_end) - read.offset;
  if (count > most) return std::nullopt;
  return static_cast<std::uint16_t>(count);
}

}  // namespace

Read read_of(const kind::TagConfig& tag, std::uint32_t index) {
  const auto& address = tag.address;
  const auto count = is_bit_area(address.area)
                         ? std::size_t{1}
                         : kind::register_count(tag.type, address.text_registers);
  return {address.unit, address.area, address.offset, static_cast<std::uint16_t>(count), {index}};
}

std::vector<Read> plan_reads(std::span<const kind::TagConfig> tags,
                             std::span<const std::uint32_t> which, int registers_per_read,
                             int gap) {
  std::vector<Read> singles;
  singles.reserve(which.size());
  for (const auto index : which) singles.push_back(read_of(tags[index], index));
  std::stable_sort(singles.begin(), singles.end(), [](const Read& left, const Read& right) {
    return std::tuple(left.unit, left.area, left.offset) <
           std::tuple(right.unit, right.area, right.offset);
  });
  std::vector<Read> plan;
  for (auto& single : singles) {
    const auto count =
        plan.empty() ? std::nullopt : joined(plan.back(), single, registers_per_read, gap);
    if (!count) {
      plan.push_back(std::move(single));
      continue;
    }
    plan.back().count = *count;
    plan.back().tags.push_back(single.tags.front());
  }
  return plan;
}

std::vector<Read> plan_reads(std::span<const kind::TagConfig> tags, int registers_per_read,
                             int gap) {
  std::vector<std::uint32_t> all(tags.size());
  for (std::uint32_t i = 0; i < all.size(); ++i) all[i] = i;
  return plan_reads(tags, all, registers_per_read, gap);
}

Bytes encode(const Frame& frame) {
  Bytes out;
  put_word(out, frame.transaction);
  put_word(out, 0);
  put_word(out, static_cast<unsigned>(frame.pdu.size() + 1));
  put_octet(out, frame.unit);
  return out + frame.pdu;
}

Result<std::optional<Frame>> take_frame(Bytes& stream) {
  if (stream.size() < head_size) return std::nullopt;
  const std::size_t length = word(stream, 4);
  if (word(stream, 2) != 0 || length < 2 || length > most_pdu + 1) return reasons::bad_answer;
  if (stream.size() < 6 + length) return std::nullopt;
  Frame frame{word(stream, 0), octet(stream, 6), stream.substr(head_size, length - 1)};
  stream.erase(0, 6 + length);
  return frame;
}

Bytes read_request(const Read& read) {
  Bytes pdu;
  put_octet(pdu, read_function(read.area));
  put_word(pdu, read.offset);
  put_word(pdu, read.count);
  return pdu;
}

Result<Bytes> read_answer(const Read& read, BytesView pdu) {
  ECP_TRY_VOID(check_function(read_function(read.area), pdu));
  const std::size_t wanted =
      is_bit_area(read.area) ? (std::size_t{read.count} + 7) / 8 : std::size_t{read.count} * 2;
  if (pdu.size() != wanted + 2 || octet(pdu, 1) != wanted) return reasons::bad_answer;
  return Bytes(pdu.substr(2));
}

Bytes write_request(const kind::TagConfig& tag, BytesView raw) {
  Bytes pdu;
  if (is_bit_area(tag.address.area)) {
    put_octet(pdu, 5);
    put_word(pdu, tag.address.offset);
    put_word(pdu, raw.front() != 0 ? 0xff00U : 0U);
    return pdu;
  }
  const bool single = raw.size() == 2;
  put_octet(pdu, single ? 6 : 16);
  put_word(pdu, tag.address.offset);
  if (!single) {
    put_word(pdu, static_cast<unsigned>(raw.size() / 2));
    put_octet(pdu, static_cast<unsigned>(raw.size()));
  }
  return pdu.append(raw);
}

Result<void> write_answer(BytesView request, BytesView pdu) {
  ECP_TRY_VOID(check_function(octet(request, 0), pdu));
  // Function 16 echoes place and count. 5 and 6 echo the value, too, which some devices fill with
  // what they really hold: reading back tells that better.
  const std::size_t echoed = octet(request, 0) == 16 ? 5 : 3;
  if (pdu.size() != 5 || pdu.substr(0, echoed) != request.substr(0, echoed)) {
    return reasons::bad_answer;
  }
  return {};
}

Bytes raw_of(const kind::TagConfig& tag, const Read& read, BytesView answer) {
  const std::size_t place = std::size_t{tag.address.offset} - read.offset;
  if (is_bit_area(read.area)) {
    return Bytes(1, static_cast<char>(octet(answer, place / 8) >> (place % 8) & 1));
  }
  const auto count = kind::register_count(tag.type, tag.address.text_registers);
  return Bytes(answer.substr(place * 2, count * 2));
}

}  // namespace ecp::inline v0::pipeline::modbus
