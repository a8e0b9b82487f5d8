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
  Bytes sealed_answer;       ///< "" while the first request runs.
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
  virtual Result<void> set_answer(const IdBytes& principal, std::string_view key,
                                  BytesView sealed_answer) = 0;
  virtual Result<void> remove(const IdBytes& principal, std::string_view key) = 0;
  virtual Result<void> remove_before(Time time) = 0;
};

/// Runs requests once per key.
///
/// Ownership: store, sealing and the env's parts outlive it.
/// Thread safety: any thread, outside units of work.
class ECP_EXPORT Idempotency {
 public:
  Idempotency(storage::Store& store, const Sealing& sealing, const Env& env)
      : store_(store), sealing_(sealing), env_(env) {}

  /// Run `answer`, or return what it answered the first time. `answer` says in `keep` whether its
  /// text stands for good; one that may go otherwise next time is not kept. Fails with
  /// `failed_precondition` (platform.idempotency_key_reused) when the key belongs to another
  /// request, `conflict` (platform.request_running) while the first one runs.
  Result<std::string> once(const IdBytes& principal, std::string_view key,
                           std::string_view request_hash,
                           const std::function<std::string(bool& keep)>& answer);
  /// Forget what is older than 24 hours.
  Result<void> sweep();

 private:
  storage::Store& store_;
  const Sealing& sealing_;
  Env env_;
};

}  // namespace ecp::inline v0::platform
