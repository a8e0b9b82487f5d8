// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Secrets at rest: sealed by a master key that is not in the database.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/bytes.hpp>
#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/secret.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::platform {

/// Seals octets with the master key (XSalsa20-Poly1305) and opens them again.
///
/// Thread safety: any thread.
class ECP_EXPORT Sealing {
 public:
  /// `master_key` is 64 hex digits. Fails with `invalid_argument` on anything else.
  [[nodiscard]] static Result<Sealing> make(const Secret& master_key, const Env& env);
  /// Read the key from a 0600 file, which is made first when there is none. Fails with
  /// `failed_precondition` when others may read the file, or when it holds something else.
  [[nodiscard]] static Result<Sealing> load_or_create(const std::string& path, const Env& env);

  /// `purpose` is bound to the sealed octets: what was sealed for one name opens for no other.
  [[nodiscard]] Bytes seal(std::string_view purpose, const Secret& secret) const;
  /// Fails with `failed_precondition` (platform.wrong_master_key) when sealed by another key, for
  /// another purpose, or changed since.
  [[nodiscard]] Result<Secret> open(std::string_view purpose, BytesView sealed) const;

 private:
  Sealing(Secret key, Random& random);
  Secret key_;  ///< 32 octets.
  Random* random_;
};

/// Sealed keys by name.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT KeyStore {
 public:
  static constexpr std::string_view store_name = "platform.keys";
  virtual ~KeyStore();
  virtual Result<std::optional<Bytes>> find(std::string_view name) = 0;
  /// False when the name is taken; the row is then as it was.
  virtual Result<bool> insert_if_absent(std::string_view name, BytesView sealed, Time now) = 0;
};

/// Return the key of a name, made by `make` when there is none. When several programs do this at
/// once, all get the one that was stored first.
[[nodiscard]] ECP_EXPORT Result<Secret> load_or_create_key(
    storage::Store& store, const Sealing& sealing, const Env& env, std::string_view name,
    const std::function<Result<Secret>()>& make);

}  // namespace ecp::inline v0::platform
