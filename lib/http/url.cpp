// SPDX-License-Identifier: Apache-2.0
#include <arpa/inet.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

#include <ecp/http/client.hpp>
#include <ecp/http/reasons.hpp>
#include <ecp/http/server.hpp>

#include "http/text.hpp"

namespace ecp::inline v0::http {

Client::~Client() = default;
Server::~Server() = default;

namespace {

Error bad_url(std::string_view problem) {
  return Error(reasons::bad_url, {{"problem", std::string(problem)}});
}

/// An address block: the first `bits` of `octets`.
struct Block {
  std::array<std::uint8_t, 16> octets;
  unsigned bits;
};

constexpr Block v4(std::uint8_t a, std::uint8_t b, std::uint8_t c, std::uint8_t d, unsigned bits) {
  return {{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d}, 96 + bits};
}

/// Addresses that are not of the public internet (RFC 6890 and its registries).
constexpr std::array special_blocks{
    v4(0, 0, 0, 0, 8),
    v4(10, 0, 0, 0, 8),
    v4(100, 64, 0, 0, 10),
    v4(127, 0, 0, 0, 8),
    v4(169, 254, 0, 0, 16),
    v4(172, 16, 0, 0, 12),
    v4(192, 0, 0, 0, 24),
    v4(192, 0, 2, 0, 24),
    v4(192, 88, 99, 0, 24),
    v4(192, 168, 0, 0, 16),
    v4(198, 18, 0, 0, 15),
    v4(198, 51, 100, 0, 24),
    v4(203, 0, 113, 0, 24),
    v4(224, 0, 0, 0, 4),
    v4(240, 0, 0, 0, 4),
    Block{{}, 96},                        // ::, ::1 and IPv4-compatible
    Block{{0x00, 0x64, 0xff, 0x9b}, 32},  // 64:ff9b::/96 and 64:ff9b:1::/48: translation
    Block{{0x01, 0x00}, 64},              // 100::/64: discard
    Block{{0x20, 0x01, 0x00, 0x00}, 23},  // 2001::/23: Teredo and protocol assignments
    Block{{0x20, 0x01, 0x0d, 0xb8}, 32},  // documentation
    Block{{0x20, 0x02}, 16},              // 6to4 carries any IPv4 address
    Block{{0xfc, 0x00}, 7},               // unique local
    Block{{0xfe, 0x80}, 10},              // link-local
    Block{{0xfe, 0xc0}, 10},              // site-local
    Block{{0xff, 0x00}, 8}};              // multicast

bool lies_in(const std::array<std::uint8_t, 16>& address, const Block& block) {
  for (unsigned bit = 0; bit < block.bits; ++bit) {
    const auto mask = static_cast<std::uint8_t>(0x80U >> (bit % 8));
    if ((address[bit / 8] & mask) != (block.octets[bit / 8] & mask)) return false;
  }
  return true;
}

/// The octets of a literal address, IPv4 as IPv4-mapped.
std::optional<std::array<std::uint8_t, 16>> address_octets(std::string_view literal) {
  const std::string text(literal.substr(0, literal.find('%')));
  std::array<std::uint8_t, 16> octets{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (inet_pton(AF_INET, text.c_str(), octets.data() + 12) == 1) return octets;
  if (inet_pton(AF_INET6, text.c_str(), octets.data()) == 1) return octets;
  return std::nullopt;
}

bool same_place(std::string_view entry, const std::array<std::uint8_t, 16>& octets,
                std::uint16_t port) {
  const auto colon = entry.rfind(':');
  if (colon == std::string_view::npos) return false;
  auto host = entry.substr(0, colon);
  if (host.size() > 2 && host.front() == '[') host = host.substr(1, host.size() - 2);
  unsigned number = 0;
  const auto digits = entry.substr(colon + 1);
  const auto parsed = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const auto allowed = address_octets(host);
  return parsed.ec == std::errc() && number == port && allowed && *allowed == octets;
}

/// Host name characters that every parser reads alike.
constexpr std::string_view host_letters =
    "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_";

Result<std::uint16_t> parse_port(std::string_view text) {
  unsigned number = 0;
  const auto parsed = std::from_chars(text.data(), text.data() + text.size(), number);
  if (parsed.ec != std::errc() || parsed.ptr != text.data() + text.size() || number == 0 ||
      number > 65535) {
    return bad_url("has a bad port");
  }
  return static_cast<std::uint16_t>(number);
}

/// "host", "host:port", "[address]" or "[address]:port"; without a port it stays as it is.
Result<void> parse_authority(std::string_view authority, Url& url) {
  if (authority.find_first_of("@\\") != std::string_view::npos) {
    return bad_url("must not hold a user name, a password or a backslash");
  }
  std::size_t end = std::min(authority.find(':'), authority.size());
  if (authority.starts_with('[')) {
    const auto close = authority.find(']');
    if (close == std::string_view::npos) return bad_url("has a bad address in brackets");
    url.host = authority.substr(1, close - 1);
    if (!address_octets(url.host)) return bad_url("has a bad address in brackets");
    end = close + 1;
  } else {
    url.host = authority.substr(0, end);
    if (url.host.find_first_not_of(host_letters) != std::string::npos) {
      return bad_url("has a bad host name");
    }
  }
  if (url.host.empty() || url.host.size() > 253) return bad_url("has no host name");
  if (end == authority.size()) return {};
  if (authority[end] != ':') return bad_url("has a bad port");
  ECP_TRY(url.port, parse_port(authority.substr(end + 1)));
  return {};
}

}  // namespace

bool is_address_allowed(const AddressPolicy& policy, std::string_view address, std::uint16_t port) {
  const auto octets = address_octets(address);
  if (!octets) return false;
  if (policy.private_networks) return true;
  const bool named =
      std::any_of(policy.allowed.begin(), policy.allowed.end(),
                  [&](const std::string& entry) { return same_place(entry, *octets, port); });
  if (named) return true;
  return std::none_of(special_blocks.begin(), special_blocks.end(),
                      [&](const Block& block) { return lies_in(*octets, block); });
}

Result<Url> parse_url(std::string_view text) {
  if (text.size() > limits::http_target) return bad_url("is too long");
  const bool clean = std::all_of(text.begin(), text.end(),
                                 [](char letter) { return letter > ' ' && letter < '\x7f'; });
  if (!clean) return bad_url("holds characters that must be percent-encoded");
  Url url;
  const auto colon = text.find("://");
  for (const char letter : text.substr(0, std::min(colon, text.size()))) {
    url.scheme.push_back(text::to_lower(letter));
  }
  if (colon == std::string_view::npos || (url.scheme != "http" && url.scheme != "https")) {
    return bad_url("must begin with https:// or http://");
  }
  url.port = url.scheme == "https" ? 443 : 80;
  const auto rest = text.substr(colon + 3);
  const auto slash = std::min(rest.find_first_of("/?#"), rest.size());
  ECP_TRY_VOID(parse_authority(rest.substr(0, slash), url));
  auto path = rest.substr(slash);
  path = path.substr(0, path.find('#'));
  url.path = path.starts_with('/') ? std::string(path) : "/" + std::string(path);
  return url;
}

}  // namespace ecp::inline v0::http
