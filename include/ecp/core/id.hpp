// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Typed 16-byte identifiers.

#include <array>
#include <compare>
#include <cstdint>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>

namespace ecp::inline v0 {

/// The 16 octets of a UUIDv7 (RFC 9562), the same for every tag.
using IdBytes = std::array<std::uint8_t, 16>;

/// Return prefix, '_' and 26 characters of lower-case Crockford base32.
[[nodiscard]] ECP_EXPORT std::string id_to_text(std::string_view prefix, const IdBytes& bytes);
/// Fails with `invalid_argument` unless the text is exactly what `id_to_text` makes.
[[nodiscard]] ECP_EXPORT Result<IdBytes> id_from_text(std::string_view prefix,
                                                      std::string_view text);

/// Identifier of one kind of thing; `Tag::prefix` is its text prefix, such as "node".
///
/// Trivially copyable, passed by value, ordered by creation time. Text is only for the wire, SQL
/// and certificate names. A default one is nil and stands for "none".
template <class Tag>
class Id {
 public:
  constexpr Id() = default;
  constexpr explicit Id(const IdBytes& bytes) : bytes_(bytes) {}

  /// Fails with `invalid_argument` (reason core.bad_id) on anything but prefix + 26 characters.
  [[nodiscard]] static Result<Id> parse(std::string_view text) {
    auto bytes = id_from_text(Tag::prefix, text);
    if (!bytes) return std::move(bytes).error();
    return Id(*bytes);
  }
  [[nodiscard]] std::string to_string() const { return id_to_text(Tag::prefix, bytes_); }
  [[nodiscard]] constexpr const IdBytes& bytes() const noexcept { return bytes_; }
  [[nodiscard]] constexpr bool is_nil() const noexcept { return bytes_ == IdBytes{}; }

  friend constexpr auto operator<=>(const Id&, const Id&) = default;
  friend constexpr bool operator==(const Id&, const Id&) = default;

 private:
  IdBytes bytes_{};
};

}  // namespace ecp::inline v0

template <class Tag>
struct std::hash<ecp::Id<Tag>> {
  std::size_t operator()(const ecp::Id<Tag>& id) const noexcept {
    std::uint64_t tail = 0;  // The last 8 octets of a UUIDv7 are random.
    std::memcpy(&tail, id.bytes().data() + 8, sizeof tail);
    return static_cast<std::size_t>(tail);
  }
};
