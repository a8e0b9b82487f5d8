// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/idempotency.hpp>

#include "storage/sql/platform/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::platform_stores {
namespace {

using platform::KeptRequest;

class SqlIdempotencyStore final : public platform::IdempotencyStore {
 public:
  explicit SqlIdempotencyStore(sql::Connection& connection) : connection_(connection) {}

  Result<bool> insert_if_absent(const KeptRequest& request) override {
    ECP_TRY(
        const auto changed,
        connection_.run("INSERT INTO platform_idempotency (principal, request_key,"
                        " request_hash, created_at) VALUES ($1, $2, $3, $4)"
                        " ON CONFLICT DO NOTHING",
                        request.principal, request.key, request.request_hash, request.created_at));
    return changed == 1;
  }

  Result<std::optional<KeptRequest>> find(std::string_view principal,
                                          std::string_view key) override {
    return sql::first_row<KeptRequest>(
        connection_.bound("SELECT request_hash, created_at, answer FROM platform_idempotency"
                          " WHERE principal = $1 AND request_key = $2",
                          principal, key),
        [&](const sql::Statement& row) -> Result<KeptRequest> {
          KeptRequest request{std::string(principal), std::string(key), sql::text_at(row, 0),
                              sql::time_at(row, 1), std::nullopt};
          if (!row.is_null(2)) request.sealed_answer = Bytes(row.blob(2));
          return request;
        });
  }

  Result<void> set_answer(std::string_view principal, std::string_view key,
                          BytesView sealed_answer) override {
    ECP_TRY(const auto changed, connection_.run("UPDATE platform_idempotency SET answer = $1"
                                                " WHERE principal = $2 AND request_key = $3",
                                                sql::Blob{sealed_answer}, principal, key));
    if (changed == 0) return Error(ecp::reasons::not_found, {{"noun", "request"}});
    return {};
  }

  Result<void> remove(std::string_view principal, std::string_view key) override {
    ECP_TRY_VOID(connection_.run(
        "DELETE FROM platform_idempotency WHERE principal = $1 AND request_key = $2", principal,
        key));
    return {};
  }

  Result<void> remove_before(Time time) override {
    ECP_TRY_VOID(connection_.run("DELETE FROM platform_idempotency WHERE created_at < $1", time));
    return {};
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_idempotency(sql::Connection& connection) {
  return erase<platform::IdempotencyStore>(new SqlIdempotencyStore(connection));
}

}  // namespace ecp::inline v0::storage::platform_stores
