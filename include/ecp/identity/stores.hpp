// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storage ports of identity. Their SQL lives in lib/storage/sql/identity/. Tokens and codes are
/// kept as the hexadecimal text of their SHA-256.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>
#include <ecp/identity/user.hpp>

namespace ecp::inline v0::identity {

/// Users and the hashes of their passwords.
///
/// Transactions: reachable only through Transaction, as all stores below.
class ECP_EXPORT UserStore {
 public:
  static constexpr std::string_view store_name = "identity.users";
  virtual ~UserStore();
  /// Insert at revision 1. Fails with `already_exists` when the e-mail address is taken.
  virtual Result<void> insert(const User& user, std::string_view password_hash) = 0;
  virtual Result<User> get(access::UserId id) = 0;
  virtual Result<std::optional<User>> find_by_email(std::string_view email) = 0;
  /// One page ordered by e-mail address.
  virtual Result<Page<User>> list(PageRequest page) = 0;
  /// Replace e-mail address, name and `enabled` at `user.revision`; return the new revision.
  virtual Result<Revision> update(const User& user) = 0;
  virtual Result<void> remove(access::UserId id, Revision revision) = 0;
  virtual Result<std::string> password_hash(access::UserId id) = 0;
  virtual Result<void> set_password_hash(access::UserId id, std::string_view hash) = 0;
  /// Note a log-in; no new revision.
  virtual Result<void> note_login(access::UserId id, Time at) = 0;
};

struct SessionTag {
  static constexpr std::string_view prefix = "ses";
};
using SessionId = Id<SessionTag>;

/// One log-in.
struct Session {
  SessionId id;
  access::UserId user;
  std::string source;       ///< "session" or "login-link".
  std::string access_hash;  ///< Of the one access token that is good now.
  Time access_expires_at{};
  std::string family_hash;   ///< Of what all refresh tokens of this session have in common.
  std::string refresh_hash;  ///< Of the one refresh token that is good now.
  /// Revision of the principal that the tokens rest on: with another one they are good no more.
  Revision standing = Revision::none;
  Time created_at{};
  Time refreshed_at{};
};

class ECP_EXPORT SessionStore {
 public:
  static constexpr std::string_view store_name = "identity.sessions";
  virtual ~SessionStore();
  virtual Result<void> insert(const Session& session) = 0;
  virtual Result<std::optional<Session>> find_by_family(std::string_view family_hash) = 0;
  virtual Result<std::optional<Session>> find_by_access(std::string_view access_hash) = 0;
  /// Replace tokens and times; fails with `not_found` when the session is gone.
  virtual Result<void> update(const Session& session) = 0;
  /// Removing an absent one is success.
  virtual Result<void> remove(SessionId id) = 0;
  virtual Result<std::int64_t> remove_of_user(access::UserId user) = 0;
  /// Remove those not refreshed since `idle_since` and those made before `made_before`.
  virtual Result<void> remove_old(Time idle_since, Time made_before) = 0;
};

/// Secrets that are good for one use: log-in links, the first administrator's.
class ECP_EXPORT OneTimeStore {
 public:
  static constexpr std::string_view store_name = "identity.one_time";
  virtual ~OneTimeStore();
  virtual Result<void> insert(std::string_view purpose, std::string_view hash,
                              std::string_view subject, Time expires_at) = 0;
  /// Use it up and return its subject; none when there is no such secret that is good at `now`.
  virtual Result<std::optional<std::string>> take(std::string_view purpose, std::string_view hash,
                                                  Time now) = 0;
  /// True when it is there and good, without using it up.
  virtual Result<bool> is_good(std::string_view purpose, std::string_view hash, Time now) = 0;
  virtual Result<void> remove_all(std::string_view purpose) = 0;
  virtual Result<void> remove_expired(Time now) = 0;
};

/// Failed tries on one account or from one address.
struct Attempts {
  std::int64_t in_window = 0;    ///< Failures since `window_from`.
  std::int64_t consecutive = 0;  ///< Failures without a success between.
  Time window_from{};
  Time blocked_until{};
  Time last{};
};

class ECP_EXPORT AttemptStore {
 public:
  static constexpr std::string_view store_name = "identity.attempts";
  virtual ~AttemptStore();
  virtual Result<Attempts> get(std::string_view subject) = 0;
  virtual Result<void> put(std::string_view subject, const Attempts& attempts) = 0;
  virtual Result<void> remove(std::string_view subject) = 0;
  /// Forget those whose last failure is older, except with at least `keep` consecutive ones.
  virtual Result<void> remove_old(Time before, std::int64_t keep) = 0;
};

}  // namespace ecp::inline v0::identity
