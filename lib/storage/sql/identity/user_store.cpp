// SPDX-License-Identifier: Apache-2.0
#include <ecp/core/reasons.hpp>
#include <ecp/identity/stores.hpp>

#include "storage/sql/identity/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::identity_stores {
namespace {

using access::UserId;
using identity::User;

#define ECP_USER_COLUMNS "id, revision, created_at, email, name, enabled, last_login_at"

Result<User> read_user(const sql::Statement& row) {
  User user;
  ECP_TRY(user.id, sql::id_at<UserId>(row, 0));
  user.revision = Revision{row.integer(1)};
  user.created_at = sql::time_at(row, 2);
  user.email = row.text(3);
  user.name = row.text(4);
  user.enabled = row.integer(5) == 1;
  user.last_login_at = sql::optional_time_at(row, 6);
  return user;
}

Error unknown() { return Error(ecp::reasons::not_found, {{"noun", "user"}}); }
Error stale() { return Error(ecp::reasons::stale_revision, {{"noun", "user"}}); }
Error taken() {
  return Error(ecp::reasons::name_taken, {{"noun", "user"}, {"field", "e-mail address"}});
}

class SqlUserStore final : public identity::UserStore {
 public:
  explicit SqlUserStore(sql::Connection& connection) : connection_(connection) {}

  Result<void> insert(const User& user, std::string_view password_hash) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO identity_users (id, revision, created_at, email,"
                            " email_key, name, enabled, password_hash)"
                            " VALUES ($1, 1, $2, $3, $4, $5, $6, $7) ON CONFLICT DO NOTHING",
                            user.id.to_string(), user.created_at, user.email,
                            sql::name_key(user.email), user.name, user.enabled, password_hash));
    if (changed == 0) return taken();
    return {};
  }

  Result<User> get(UserId id) override {
    ECP_TRY(auto found, sql::first_row<User>(connection_.bound("SELECT " ECP_USER_COLUMNS
                                                               " FROM identity_users WHERE id = $1",
                                                               id.to_string()),
                                             read_user));
    if (!found) return unknown();
    return std::move(*found);
  }

  Result<std::optional<User>> find_by_email(std::string_view email) override {
    return sql::first_row<User>(
        connection_.bound("SELECT " ECP_USER_COLUMNS " FROM identity_users WHERE email_key = $1",
                          sql::name_key(email)),
        read_user);
  }

  Result<Page<User>> list(PageRequest page) override {
    Page<User> found;
    ECP_TRY(found.items,
            sql::all_rows<User>(connection_.bound("SELECT " ECP_USER_COLUMNS " FROM identity_users"
                                                  " ORDER BY email_key LIMIT $1 OFFSET $2",
                                                  page.limit, page.offset),
                                read_user));
    ECP_TRY(found.total, sql::number_of(connection_.bound("SELECT COUNT(*) FROM identity_users")));
    return found;
  }

  Result<Revision> update(const User& user) override {
    const std::string id = user.id.to_string();
    const std::string key = sql::name_key(user.email);
    ECP_TRY(const auto others,
            sql::number_of(connection_.bound(
                "SELECT COUNT(*) FROM identity_users WHERE email_key = $1 AND id <> $2", key, id)));
    if (others > 0) return taken();
    ECP_TRY(const auto changed,
            connection_.run("UPDATE identity_users SET revision = revision + 1, email = $1,"
                            " email_key = $2, name = $3, enabled = $4"
                            " WHERE id = $5 AND revision = $6",
                            user.email, key, user.name, user.enabled, id, user.revision));
    if (changed == 1) return next(user.revision);
    ECP_TRY_VOID(get(user.id));
    return stale();
  }

  Result<void> remove(UserId id, Revision revision) override {
    ECP_TRY(const auto changed,
            connection_.run("DELETE FROM identity_users WHERE id = $1 AND revision = $2",
                            id.to_string(), revision));
    if (changed == 1) return {};
    ECP_TRY_VOID(get(id));
    return stale();
  }

  Result<std::string> password_hash(UserId id) override {
    ECP_TRY(
        auto found,
        sql::first_row<std::string>(
            connection_.bound("SELECT password_hash FROM identity_users WHERE id = $1",
                              id.to_string()),
            [](const sql::Statement& row) -> Result<std::string> { return sql::text_at(row, 0); }));
    if (!found) return unknown();
    return std::move(*found);
  }

  Result<void> set_password_hash(UserId id, std::string_view hash) override {
    ECP_TRY(const auto changed,
            connection_.run("UPDATE identity_users SET password_hash = $1 WHERE id = $2", hash,
                            id.to_string()));
    if (changed == 0) return unknown();
    return {};
  }

  Result<void> note_login(UserId id, Time at) override {
    ECP_TRY_VOID(connection_.run("UPDATE identity_users SET last_login_at = $1 WHERE id = $2", at,
                                 id.to_string()));
    return {};
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_users(sql::Connection& connection) {
  return erase<identity::UserStore>(new SqlUserStore(connection));
}

}  // namespace ecp::inline v0::storage::identity_stores
