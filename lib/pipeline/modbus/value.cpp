// SPDX-License-Identifier: Apache-2.0
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>
#include <utility>

#include <ecp/pipeline/modbus.hpp>
#include <ecp/pipeline/reasons.hpp>

namespace ecp::inline v0::pipeline::modbus {
namespace {

using kind::ByteOrder;
using kind::TagType;

/// Bring the octets of a number into order abcd, or from it: every order is its own inverse.
Bytes reorder(BytesView raw, ByteOrder order) {
  Bytes out(raw);
  const bool swap_octets = order == ByteOrder::badc || order == ByteOrder::dcba;
  const bool swap_words = order == ByteOrder::cdab || order == ByteOrder::dcba;
  if (swap_octets) {
    for (std::size_t i = 0; i + 1 < out.size(); i += 2) std::swap(out[i], out[i + 1]);
  }
  if (swap_words) {
    const auto words = out.size() / 2;
    for (std::size_t i = 0; i < words / 2; ++i) {
      std::swap(out[2 * i], out[2 * (words - 1 - i)]);
      std::swap(out[2 * i + 1], out[2 * (words - 1 - i) + 1]);
    }
  }
  return out;
}

std::uint64_t bits_of(BytesView ordered) {
  std::uint64_t bits = 0;
  for (const char each : ordered) bits = bits << 8 | static_cast<std::uint8_t>(each);
  return bits;
}

Bytes octets_of(std::uint64_t bits, std::size_t count) {
  Bytes out(count, '\0');
  for (std::size_t i = 0; i < count; ++i) {
    out[count - 1 - i] = static_cast<char>(bits >> (8 * i) & 0xff);
  }
  return out;
}

double rounded(double value, int precision) {
  if (precision < 0) return value;
  const double factor = std::pow(10.0, precision);
  const double scaled = value * factor;
  return std::isfinite(scaled) ? std::round(scaled) / factor : value;
}

Error bad_value(const kind::TagConfig& tag) {
  return Error(reasons::bad_value, {{"type", std::string(to_string(tag.type))}});
}

Error does_not_fit(const kind::TagConfig& tag) {
  return Error(reasons::write_does_not_fit, {{"type", std::string(to_string(tag.type))}});
}

series::Value integer_value(const kind::TagConfig& tag, std::int64_t raw) {
  if (tag.scale == 1.0) return raw;
  return rounded(static_cast<double>(raw) * tag.scale, tag.precision);
}

series::Value unsigned_value(const kind::TagConfig& tag, std::uint64_t raw) {
  if (raw <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
    return integer_value(tag, static_cast<std::int64_t>(raw));
  }
  return rounded(static_cast<double>(raw) * tag.scale, tag.precision);
}

Result<series::Value> real_value(const kind::TagConfig& tag, double raw) {
  const double value = rounded(raw * tag.scale, tag.precision);
  if (!std::isfinite(value)) return bad_value(tag);
  return series::Value(value);
}

/// Text ends at the first NUL.
Result<series::Value> text_value(const kind::TagConfig& tag, BytesView raw) {
  const auto ordered = tag.address.text_low_first ? reorder(raw, ByteOrder::badc) : Bytes(raw);
  const auto text = ordered.substr(0, ordered.find('\0'));
  if (!is_clean_utf8(text)) return bad_value(tag);
  return series::Value(text);
}

/// Whole numbers of scale 1 take no way over double.
template <class Integer>
Result<Bytes> integer_octets(const kind::TagConfig& tag, const series::Value& value) {
  using Limits = std::numeric_limits<Integer>;
  const auto* whole = std::get_if<std::int64_t>(&value);
  if (whole && tag.scale == 1.0) {
    if (!std::in_range<Integer>(*whole)) return does_not_fit(tag);
    return octets_of(static_cast<std::uint64_t>(*whole), sizeof(Integer));
  }
  const double scaled = whole ? static_cast<double>(*whole) : std::get<double>(value);
  const double raw = std::round(scaled / tag.scale);
  const double above = std::ldexp(1.0, Limits::digits);  // Excluded; exact where max() is not.
  if (!(raw >= static_cast<double>(Limits::min()) && raw < above)) return does_not_fit(tag);
  return octets_of(static_cast<std::uint64_t>(static_cast<Integer>(raw)), sizeof(Integer));
}

Result<Bytes> real_octets(const kind::TagConfig& tag, const series::Value& value) {
  const auto* whole = std::get_if<std::int64_t>(&value);
  const double raw = (whole ? static_cast<double>(*whole) : std::get<double>(value)) / tag.scale;
  if (!std::isfinite(raw)) return does_not_fit(tag);
  if (tag.type == TagType::float64) return octets_of(std::bit_cast<std::uint64_t>(raw), 8);
  if (std::abs(raw) > static_cast<double>(std::numeric_limits<float>::max())) {
    return does_not_fit(tag);
  }
  return octets_of(std::bit_cast<std::uint32_t>(static_cast<float>(raw)), 4);
}

Result<Bytes> text_octets(const kind::TagConfig& tag, const std::string& text) {
  const auto size = tag.address.text_registers * 2;
  if (text.size() > size) return does_not_fit(tag);
  Bytes padded = text;
  padded.resize(size, '\0');
  return tag.address.text_low_first ? reorder(padded, ByteOrder::badc) : padded;
}

Result<Bytes> number_octets(const kind::TagConfig& tag, const series::Value& value) {
  switch (tag.type) {
    case TagType::int16:
      return integer_octets<std::int16_t>(tag, value);
    case TagType::uint16:
      return integer_octets<std::uint16_t>(tag, value);
    case TagType::int32:
      return integer_octets<std::int32_t>(tag, value);
    case TagType::uint32:
      return integer_octets<std::uint32_t>(tag, value);
    case TagType::int64:
      return integer_octets<std::int64_t>(tag, value);
    case TagType::uint64:
      return integer_octets<std::uint64_t>(tag, value);
    default:
      return real_octets(tag, value);
  }
}

Result<series::Value> number_of(const kind::TagConfig& tag, std::uint64_t bits) {
  switch (tag.type) {
    case TagType::int16:
      return integer_value(tag, static_cast<std::int16_t>(bits));
    case TagType::int32:
      return integer_value(tag, static_cast<std::int32_t>(bits));
    case TagType::int64:
      return integer_value(tag, static_cast<std::int64_t>(bits));
    case TagType::float32:
      return real_value(tag, double{std::bit_cast<float>(static_cast<std::uint32_t>(bits))});
    case TagType::float64:
      return real_value(tag, std::bit_cast<double>(bits));
    default:
      return unsigned_value(tag, bits);
  }
}

}  // namespace

Result<series::Value> decode(const kind::TagConfig& tag, BytesView raw) {
  if (tag.type == TagType::text) return text_value(tag, raw);
  if (tag.type == TagType::boolean) {
    if (!tag.address.bit) return series::Value(raw.front() != 0);
    return series::Value((bits_of(raw) >> *tag.address.bit & 1) != 0);
  }
  return number_of(tag, bits_of(reorder(raw, tag.byte_order)));
}

Result<Bytes> encode_value(const kind::TagConfig& tag, const series::Value& value) {
  const auto wrong = [&] {
    return Error(reasons::write_wrong_type, {{"type", std::string(to_string(tag.type))}});
  };
  if (tag.type == TagType::boolean) {
    const auto* flag = std::get_if<bool>(&value);
    if (!flag) return wrong();
    return Bytes(1, *flag ? '\1' : '\0');
  }
  if (tag.type == TagType::text) {
    const auto* text = std::get_if<std::string>(&value);
    if (!text) return wrong();
    return text_octets(tag, *text);
  }
  if (!std::holds_alternative<std::int64_t>(value) && !std::holds_alternative<double>(value)) {
    return wrong();
  }
  ECP_TRY(const auto ordered, number_octets(tag, value));
  return reorder(ordered, tag.byte_order);
}

}  // namespace ecp::inline v0::pipeline::modbus
