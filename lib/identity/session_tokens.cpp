// SPDX-License-Identifier: Apache-2.0
#include "identity/session_tokens.hpp"

#include "identity/text.hpp"

namespace ecp::inline v0::identity {
namespace {

constexpr std::string_view refresh_prefix = "ecpr_";
constexpr std::size_t secret_size = 32;

/// Octets of a refresh token, or "".
Secret octets_of(const Secret& token) {
  const auto text = token.view();
  if (text.substr(0, refresh_prefix.size()) != refresh_prefix) return {};
  auto octets = from_base64url(text.substr(refresh_prefix.size()));
  if (!octets || octets->size() != family_size + secret_size) return {};
  return Secret(*octets);
}

}  // namespace

Secret make_secret(std::string_view prefix, Random& random) {
  return Secret(std::string(prefix) + "_" + to_base64url(random.bytes(secret_size)));
}

Secret make_refresh_token(BytesView family, Random& random) {
  Bytes octets(family);
  octets += random.bytes(secret_size);
  return Secret(std::string(refresh_prefix) + to_base64url(octets));
}

std::optional<RefreshToken> read_refresh_token(const Secret& token) {
  const Secret octets = octets_of(token);
  if (octets.empty()) return std::nullopt;
  return RefreshToken{hash_text(octets.view().substr(0, family_size)), hash_text(token.view())};
}

Secret family_of(const Secret& token) {
  const Secret octets = octets_of(token);
  return Secret(octets.view().substr(0, family_size));
}

}  // namespace ecp::inline v0::identity
