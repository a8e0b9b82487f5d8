// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Answers kept for requests that are sent again.

#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::platform {

/// One request under a key of its sender.
struct KeptRequest {
  std::string principal;  ///< Kind and id of the sender; keys of others are never seen.
  std::string key;
  std::string request_hash;  ///< Hexadecimal SHA-256 of everything that tells requests apart.
  Time created_at{};
  /// The answer, sealed since it may show a secret once. None while it is being made; it stays
  /// none when the program ended meanwhile.
  std::optional<Bytes> sealed_answer;
};

/// Requests and their answers by principal and key.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT IdempotencyStore {
 public:
  static constexpr std::string_view store_name = "platform.idempotency";
  virtual ~IdempotencyStore();
  /// Keep a request without answer. False when the key is taken; the row is then as it was.
  virtual Result<bool> insert_if_absent(const KeptRequest& request) = 0;
  virtual Result<std::optional<KeptRequest>> find(std::string_view principal,
                                                  std::string_view key) = 0;
  /// Keep the answer. Fails with `not_found` when the request is no longer there.
  virtual Result<void> set_answer(std::string_view principal, std::string_view key,
                                  BytesView sealed_answer) = 0;
  /// Free a key, as if it had never been used.
  virtual Result<void> remove(std::string_view principal, std::string_view key) = 0;
  /// Forget what is older.
  virtual Result<void> remove_before(Time time) = 0;
};

}  // namespace ecp::inline v0::platform
