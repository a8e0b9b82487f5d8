// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/id.hpp>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0 {
namespace {

// Crockford's base32 without i, l, o and u; 26 characters hold 130 bits, the first two are zero.
constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t text_length = 26;
constexpr std::uint8_t no_digit = 0xFF;

/// What each octet stands for: every topic of every message has an id.
constexpr auto digits = [] {
  std::array<std::uint8_t, 256> table{};
  for (auto& digit : table) digit = no_digit;
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::uint8_t>(i);
  }
  return table;
}();

Error bad_id(std::string_view prefix) {
  return {reasons::bad_id, {{"prefix", std::string(prefix)}}};
}

}  // namespace

std::string id_to_text(std::string_view prefix, const IdBytes& bytes) {
  std::string out;
  out.reserve(prefix.size() + 1 + text_length);
  out += prefix;
  out += '_';
  unsigned window = 0;
  int bits = 2;
  for (const std::uint8_t octet : bytes) {
    window = ((window << 8) | octet) & 0xFFFU;
    for (bits += 8; bits >= 5; bits -= 5) out += alphabet[(window >> (bits - 5)) & 31U];
  }
  return out;
}

Result<IdBytes> id_from_text(std::string_view prefix, std::string_view text) {
  if (text.size() != prefix.size() + 1 + text_length || !text.starts_with(prefix) ||
      text[prefix.size()] != '_') {
    return bad_id(prefix);
  }
  text.remove_prefix(prefix.size() + 1);
  if (text[0] > '7') return bad_id(prefix);  // More than 128 bits.
  IdBytes bytes{};
  std::size_t count = 0;
  unsigned window = 0;
  int bits = -2;
  for (const char c : text) {
    const unsigned digit = digits[static_cast<unsigned char>(c)];
    if (digit == no_digit) return bad_id(prefix);
    window = ((window << 5) | digit) & 0xFFFU;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[count++] = static_cast<std::uint8_t>(window >> bits);
    }
  }
  return bytes;
}

}  // namespace ecp::inline v0
