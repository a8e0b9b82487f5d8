// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Octets and their text codings.

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0 {

/// Octets. A std::string, because every payload here ends in an interface that takes `char*`.
using Bytes = std::string;
using BytesView = std::string_view;

/// A SHA-256 value, 32 octets.
using Sha256 = std::array<std::uint8_t, 32>;

/// Return the SHA-256 (FIPS 180-4) of some octets.
[[nodiscard]] ECP_EXPORT Sha256 sha256(BytesView octets);

/// Lower-case hexadecimal.
[[nodiscard]] ECP_EXPORT std::string to_hex(BytesView octets);
[[nodiscard]] ECP_EXPORT std::string to_hex(const Sha256& digest);
/// Fails with `invalid_argument` on an odd length or a character that is no hex digit.
[[nodiscard]] ECP_EXPORT Result<Bytes> from_hex(std::string_view text);

/// Base64 of RFC 4648 section 4, with padding; and section 5 (URL-safe, no padding).
[[nodiscard]] ECP_EXPORT std::string to_base64(BytesView octets);
[[nodiscard]] ECP_EXPORT Result<Bytes> from_base64(std::string_view text);
[[nodiscard]] ECP_EXPORT std::string to_base64url(BytesView octets);
[[nodiscard]] ECP_EXPORT Result<Bytes> from_base64url(std::string_view text);

/// Compare without leaking the position of the first difference. Lengths may leak.
[[nodiscard]] ECP_EXPORT bool equal_constant_time(BytesView left, BytesView right) noexcept;

/// True when the octets are well-formed UTF-8 (RFC 3629) without control characters below U+0020.
[[nodiscard]] ECP_EXPORT bool is_clean_utf8(std::string_view text) noexcept;

}  // namespace ecp::inline v0
