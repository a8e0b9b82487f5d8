// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/bytes.hpp>

#include <sodium.h>

#include <ecp/core/reasons.hpp>

#include "core/text.hpp"

namespace ecp::inline v0 {
namespace {

const unsigned char* octets_of(BytesView octets) {
  return reinterpret_cast<const unsigned char*>(octets.data());
}

Error bad_text(const char* coding) { return {reasons::bad_text, {{"coding", coding}}}; }

std::string encode_base64(BytesView octets, int variant) {
  std::string out(sodium_base64_encoded_len(octets.size(), variant), '\0');
  sodium_bin2base64(out.data(), out.size(), octets_of(octets), octets.size(), variant);
  out.pop_back();  // The closing NUL.
  return out;
}

Result<Bytes> decode_base64(std::string_view text, int variant, const char* coding) {
  Bytes out(text.size() / 4 * 3 + 3, '\0');
  std::size_t size = 0;
  const int outcome = sodium_base642bin(reinterpret_cast<unsigned char*>(out.data()), out.size(),
                                        text.data(), text.size(), nullptr, &size, nullptr, variant);
  if (outcome != 0) return bad_text(coding);
  out.resize(size);
  return out;
}

int digit_of(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

Sha256 sha256(BytesView octets) {
  Sha256 digest{};
  crypto_hash_sha256(digest.data(), octets_of(octets), octets.size());
  return digest;
}

std::string to_hex(BytesView octets) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  out.reserve(octets.size() * 2);
  for (const char c : octets) {
    const auto octet = static_cast<unsigned char>(c);
    out += digits[octet >> 4];
    out += digits[octet & 15];
  }
  return out;
}

std::string to_hex(const Sha256& digest) {
  return to_hex(BytesView(reinterpret_cast<const char*>(digest.data()), digest.size()));
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return bad_text("hexadecimal");
  Bytes out;
  out.reserve(text.size() / 2);
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const int high = digit_of(text[i]);
    const int low = digit_of(text[i + 1]);
    if (high < 0 || low < 0) return bad_text("hexadecimal");
    out += static_cast<char>(high * 16 + low);
  }
  return out;
}

std::string to_base64(BytesView octets) {
  return encode_base64(octets, sodium_base64_VARIANT_ORIGINAL);
}

Result<Bytes> from_base64(std::string_view text) {
  return decode_base64(text, sodium_base64_VARIANT_ORIGINAL, "base64");
}

std::string to_base64url(BytesView octets) {
  return encode_base64(octets, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
}

Result<Bytes> from_base64url(std::string_view text) {
  return decode_base64(text, sodium_base64_VARIANT_URLSAFE_NO_PADDING, "base64url");
}

bool equal_constant_time(BytesView left, BytesView right) noexcept {
  return left.size() == right.size() && sodium_memcmp(left.data(), right.data(), left.size()) == 0;
}

bool is_clean_utf8(std::string_view text) noexcept {
  for (auto position = text::skip_plain(text, 0); position < text.size();
       position = text::skip_plain(text, position)) {
    const auto point = text::next_code_point(text, position);
    if (!point || *point < 0x20) return false;
  }
  return true;
}

}  // namespace ecp::inline v0
