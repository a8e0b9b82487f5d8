// SPDX-License-Identifier: Apache-2.0
#include <ecp/identity/stores.hpp>

#include "storage/sql/identity/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::identity_stores {
namespace {

using identity::Attempts;

class SqlOneTimeStore final : public identity::OneTimeStore {
 public:
  explicit SqlOneTimeStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(std::string_view purpose, std::string_view hash, std::string_view subject,
                      Time expires_at) override {
    ECP_TRY_VOID(
        connection_.run("INSERT INTO identity_one_time (purpose, hash, subject,"
                        " expires_at) VALUES ($1, $2, $3, $4)",
                        purpose, hash, subject, expires_at));
    return {};
  }

  Result<std::optional<std::string>> take(std::string_view purpose, std::string_view hash,
                                          Time now) override {
    ECP_TRY(
        auto subject,
        sql::first_row<std::string>(
            connection_.bound("SELECT subject FROM identity_one_time"
                              " WHERE purpose = $1 AND hash = $2 AND expires_at > $3",
                              purpose, hash, now),
            [](const sql::Statement& row) -> Result<std::string> { return sql::text_at(row, 0); }));
    if (!subject) return std::nullopt;
    ECP_TRY(const auto changed,
            connection_.run("DELETE FROM identity_one_time WHERE purpose = $1 AND hash = $2",
                            purpose, hash));
    if (changed == 0) return std::nullopt;
    return subject;
  }

  Result<bool> is_good(std::string_view purpose, std::string_view hash, Time now) override {
    ECP_TRY(const auto count,
            sql::number_of(connection_.bound("SELECT COUNT(*) FROM identity_one_time"
                                             " WHERE purpose = $1 AND hash = $2"
                                             " AND expires_at > $3",
                                             purpose, hash, now)));
    return count > 0;
  }

  Result<void> remove_all(std::string_view purpose) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM identity_one_time WHERE purpose = $1", purpose));
    return {};
  }

  Result<void> remove_expired(Time now) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM identity_one_time WHERE expires_at <= $1", now));
    return {};
  }

 private:
  sql::Connection& connection_;
};

class SqlAttemptStore final : public identity::AttemptStore {
 public:
  explicit SqlAttemptStore(sql::Connection& connection) : connection_(connection) {}

  Result<Attempts> get(std::string_view subject) override {
    ECP_TRY(const auto found,
            sql::first_row<Attempts>(
                connection_.bound("SELECT in_window, consecutive, window_from, blocked_until,"
                                  " last_at FROM identity_attempts WHERE subject = $1",
                                  subject),
                [](const sql::Statement& row) -> Result<Attempts> {
                  return Attempts{row.integer(0), row.integer(1), sql::time_at(row, 2),
                                  sql::time_at(row, 3), sql::time_at(row, 4)};
                }));
    return found.value_or(Attempts{});
  }

  Result<void> put(std::string_view subject, const Attempts& attempts) override {
    ECP_TRY_VOID(connection_.run(
        "INSERT INTO identity_attempts (subject, in_window, consecutive, window_from,"
        " blocked_until, last_at) VALUES ($1, $2, $3, $4, $5, $6)"
        " ON CONFLICT (subject) DO UPDATE SET in_window = excluded.in_window,"
        " consecutive = excluded.consecutive, window_from = excluded.window_from,"
        " blocked_until = excluded.blocked_until, last_at = excluded.last_at",
        subject, attempts.in_window, attempts.consecutive, attempts.window_from,
        attempts.blocked_until, attempts.last));
    return {};
  }

  Result<void> remove(std::string_view subject) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM identity_attempts WHERE subject = $1", subject));
    return {};
  }

  Result<void> remove_old(Time before, std::int64_t keep) override {
    ECP_TRY_VOID(connection_.run(
        "DELETE FROM identity_attempts WHERE last_at < $1 AND consecutive < $2", before, keep));
    return {};
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_one_time(sql::Connection& connection) {
  return erase<identity::OneTimeStore>(new SqlOneTimeStore(connection));
}

ErasedStore make_attempts(sql::Connection& connection) {
  return erase<identity::AttemptStore>(new SqlAttemptStore(connection));
}

}  // namespace ecp::inline v0::storage::identity_stores
