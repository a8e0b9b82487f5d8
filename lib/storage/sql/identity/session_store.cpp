// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/reasons.hpp>
#include <ecp/identity/stores.hpp>

#include "storage/sql/identity/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::identity_stores {
namespace {

using access::UserId;
using identity::Session;
using identity::SessionId;

#define ECP_SESSION_COLUMNS                                                                     \
  "id, user_id, source, access_hash, access_expires_at, family_hash, refresh_hash, created_at," \
  " refreshed_at, standing"

Result<Session> read_session(const sql::Statement& row) {
  Session session;
  ECP_TRY(session.id, sql::id_at<SessionId>(row, 0));
  ECP_TRY(session.user, sql::id_at<UserId>(row, 1));
  session.source = row.text(2);
  session.access_hash = row.text(3);
  session.access_expires_at = sql::time_at(row, 4);
  session.family_hash = row.text(5);
  session.refresh_hash = row.text(6);
  session.created_at = sql::time_at(row, 7);
  session.refreshed_at = sql::time_at(row, 8);
  session.standing = Revision{row.integer(9)};
  return session;
}

class SqlSessionStore final : public identity::SessionStore {
 public:
  explicit SqlSessionStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(const Session& session) override {
    ECP_TRY_VOID(connection_.run("INSERT INTO identity_sessions (" ECP_SESSION_COLUMNS
                                 ") VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
                                 session.id.to_string(), session.user.to_string(), session.source,
                                 session.access_hash, session.access_expires_at,
                                 session.family_hash, session.refresh_hash, session.created_at,
                                 session.refreshed_at, session.standing));
    return {};
  }

  Result<std::optional<Session>> find_by_family(std::string_view family_hash) override {
    return sql::first_row<Session>(
        connection_.bound("SELECT " ECP_SESSION_COLUMNS
                          " FROM identity_sessions WHERE family_hash = $1",
                          family_hash),
        read_session);
  }

  Result<std::optional<Session>> find_by_access(std::string_view access_hash) override {
    return sql::first_row<Session>(
        connection_.bound("SELECT " ECP_SESSION_COLUMNS
                          " FROM identity_sessions WHERE access_hash = $1",
                          access_hash),
        read_session);
  }

  Result<void> update(const Session& session) override {
    ECP_TRY(const auto changed,
            connection_.run("UPDATE identity_sessions SET access_hash = $1,"
                            " access_expires_at = $2, refresh_hash = $3, refreshed_at = $4"
                            " WHERE id = $5",
                            session.access_hash, session.access_expires_at, session.refresh_hash,
                            session.refreshed_at, session.id.to_string()));
    if (changed == 0) return Error(ecp::reasons::not_found, {{"noun", "session"}});
    return {};
  }

  Result<void> remove(SessionId id) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM identity_sessions WHERE id = $1", id.to_string()));
    return {};
  }

  Result<std::int64_t> remove_of_user(UserId user) override {
    return connection_.run("DELETE FROM identity_sessions WHERE user_id = $1", user.to_string());
  }

  Result<void> remove_old(Time idle_since, Time made_before) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM identity_sessions WHERE refreshed_at < $1 OR created_at < $2",
                        idle_since, made_before));
    return {};
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_sessions(sql::Connection& connection) {
  return erase<identity::SessionStore>(new SqlSessionStore(connection));
}

}  // namespace ecp::inline v0::storage::identity_stores
