// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Ed25519 signatures: manifests, audit checkpoints.

#include <string>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>

namespace ecp::inline v0::pki {

inline constexpr std::size_t ed25519_public_size = 32;
inline constexpr std::size_t ed25519_signature_size = 64;

/// A private Ed25519 key.
///
/// Ownership: move-only; its memory is wiped at the end.
/// Thread safety: const members from any thread.
class ECP_EXPORT SigningKey {
 public:
  /// Make a new key from the system's randomness.
  [[nodiscard]] static Result<SigningKey> generate();
  /// Read what `to_secret` made. Fails with `data_loss`.
  [[nodiscard]] static Result<SigningKey> from_secret(const Secret& text);
  /// Base64 text of the key's seed, for a sealed row or a 0600 file.
  [[nodiscard]] Secret to_secret() const;

  [[nodiscard]] Bytes sign(BytesView octets) const;
  /// 32 octets.
  [[nodiscard]] const Bytes& public_key() const noexcept { return public_key_; }
  /// Name of the public key, see `key_id_of`.
  [[nodiscard]] const std::string& key_id() const noexcept { return key_id_; }

 private:
  SigningKey(Secret pair, Bytes public_key);
  Secret pair_;
  Bytes public_key_;
  std::string key_id_;
};

/// First 16 hex digits of the public key's SHA-256.
[[nodiscard]] ECP_EXPORT std::string key_id_of(BytesView public_key);

/// Succeed when `signature` over exactly `octets` was made with the key of `public_key`; else
/// `permission_denied`, also for keys and signatures of a wrong size.
[[nodiscard]] ECP_EXPORT Result<void> verify_signature(BytesView public_key, BytesView octets,
                                                       BytesView signature);

}  // namespace ecp::inline v0::pki
