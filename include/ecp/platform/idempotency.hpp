// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Answers to repeated requests: the same Idempotency-Key gives the same answer for 24 hours.

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/result.hpp>
#include <ecp/platform/keys.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::platform {

/// What a request with a key was, and was answered. The answer is sealed, because some hold a
/// secret that is shown once.
struct KeyedRequest {
  IdBytes principal{};
  std::string key;
  std::string request_hash;  ///< Of method, path and body.
  Bytes sealed_answer;       ///< "" while the first request runs, or when it was interrupted.
};

/// Requests with keys.
///
/// Transactions: reachable only through Transaction.
class ECP_EXPORT KeyedRequestStore {
 public:
  static constexpr std::string_view store_name = "platform.keyed_requests";
  virtual ~KeyedRequestStore();
  /// None when the key is new to the principal.
  virtual Result<std::optional<KeyedRequest>> find(const IdBytes& principal,
                                                   std::string_view key) = 0;
  /// False when the key is taken.
  virtual Result<bool> insert(const KeyedRequest& request, Time now) = 0;
  /// Fails with `not_found` when the request is no longer there.
  virtual Result<void> set_answer(const IdBytes& principal, std::string_view key,
                                  BytesView sealed_answer) = 0;
  /// Free a key, as if it had never been used.
  virtual Result<void> remove(const IdBytes& principal, std::string_view key) = 0;
  /// Forget what is older.
  virtual Result<void> remove_before(Time time) = 0;
};

/// Runs requests once per key.
///
/// Ownership: store, sealing and the env's parts outlive it.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT Idempotency {
 public:
  static constexpr Milliseconds kept_for = std::chrono::hours(24);

  Idempotency(storage::Store& store, const Sealing& sealing, const Env& env)
      : store_(store), sealing_(sealing), env_(env) {}

  /// Run `answer`, or return what it answered the first time. `answer` runs outside units of work
  /// and says in `keep` whether its text stands for good; when not, or when it throws, the key is
  /// free again. Fails with `conflict` when the key belongs to another request
  /// (platform.idempotency_key_reused) or the first one has no answer (platform.request_running).
  Result<std::string> once(const IdBytes& principal, std::string_view key,
                           std::string_view request_hash,
                           const std::function<std::string(bool& keep)>& answer);

 private:
  Result<std::optional<KeyedRequest>> begin(const KeyedRequest& request);
  void free(const KeyedRequest& request);
  void keep(const KeyedRequest& request, std::string_view text);

  storage::Store& store_;
  const Sealing& sealing_;
  Env env_;
};

}  // namespace ecp::inline v0::platform
