// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/id.hpp>

#include <ecp/core/reasons.hpp>

namespace ecp::inline v0 {
namespace {

// Crockford's base32 without i, l, o and u; 26 characters hold 130 bits, the first two are zero.
constexpr std::string_view alphabet = "0123456789abcdefghjkmnpqrstvwxyz";
constexpr std::size_t text_length = 26;

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
  const Error bad{reasons::bad_id, {{"prefix", std::string(prefix)}}};
  if (text.size() != prefix.size() + 1 + text_length || !text.starts_with(prefix) ||
      text[prefix.size()] != '_') {
    return bad;
  }
  text.remove_prefix(prefix.size() + 1);
  if (text[0] > '7') return bad;  // More than 128 bits.
  IdBytes bytes{};
  std::size_t count = 0;
  unsigned window = 0;
  int bits = -2;
  for (const char c : text) {
    const auto digit = alphabet.find(c);
    if (digit == std::string_view::npos) return bad;
    window = ((window << 5) | static_cast<unsigned>(digit)) & 0xFFFU;
    bits += 5;
    if (bits >= 8) {
      bits -= 8;
      bytes[count++] = static_cast<std::uint8_t>(window >> bits);
    }
  }
  return bytes;
}

}  // namespace ecp::inline v0
