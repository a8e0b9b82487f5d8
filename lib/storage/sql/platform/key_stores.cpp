// SPDX-License-Identifier: Apache-2.0
#include <ecp/platform/idempotency.hpp>
#include <ecp/platform/keys.hpp>

#include "storage/sql/platform/stores.hpp"
#include "storage/sql/rows.hpp"

namespace ecp::inline v0::storage::platform_stores {
namespace {

using platform::KeyedRequest;

std::string key_of(const IdBytes& principal) { return id_to_text("principal", principal); }

class SqlKeyStore final : public platform::KeyStore {
 public:
  explicit SqlKeyStore(sql::Connection& connection) : connection_(connection) {}

  Result<std::optional<Bytes>> find(std::string_view name) override {
    return sql::first_row<Bytes>(
        connection_.bound("SELECT sealed FROM platform_keys WHERE name = $1", name),
        [](const sql::Statement& row) -> Result<Bytes> { return Bytes(row.blob(0)); });
  }

  Result<bool> insert_if_absent(std::string_view name, BytesView sealed, Time now) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO platform_keys (name, sealed, created_at)"
                            " VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
                            name, sql::Blob{sealed}, now));
    return changed == 1;
  }

 private:
  sql::Connection& connection_;
};

class SqlKeyedRequestStore final : public platform::KeyedRequestStore {
 public:
  explicit SqlKeyedRequestStore(sql::Connection& connection) : connection_(connection) {}

  Result<std::optional<KeyedRequest>> find(const IdBytes& principal,
                                           std::string_view key) override {
    return sql::first_row<KeyedRequest>(
        connection_.bound("SELECT request_hash, answer FROM platform_keyed_requests"
                          " WHERE principal = $1 AND request_key = $2",
                          key_of(principal), key),
        [&](const sql::Statement& row) -> Result<KeyedRequest> {
          return KeyedRequest{principal, std::string(key), sql::text_at(row, 0),
                              Bytes(row.blob(1))};
        });
  }

  Result<bool> insert(const KeyedRequest& request, Time now) override {
    ECP_TRY(const auto changed,
            connection_.run("INSERT INTO platform_keyed_requests (principal, request_key,"
                            " request_hash, answer, created_at) VALUES ($1, $2, $3, $4, $5)"
                            " ON CONFLICT DO NOTHING",
                            key_of(request.principal), request.key, request.request_hash,
                            sql::Blob{request.sealed_answer}, now));
    return changed == 1;
  }

  Result<void> set_answer(const IdBytes& principal, std::string_view key,
                          BytesView sealed_answer) override {
    ECP_TRY(const auto changed, connection_.run("UPDATE platform_keyed_requests SET answer = $1"
                                                " WHERE principal = $2 AND request_key = $3",
                                                sql::Blob{sealed_answer}, key_of(principal), key));
    if (changed == 0) return Error(ecp::reasons::not_found, {{"noun", "request"}});
    return {};
  }

  Result<void> remove(const IdBytes& principal, std::string_view key) override {
    ECP_TRY_VOID(connection_.run(
        "DELETE FROM platform_keyed_requests WHERE principal = $1 AND request_key = $2",
        key_of(principal), key));
    return {};
  }

  Result<void> remove_before(Time time) override {
    ECP_TRY_VOID(
        connection_.run("DELETE FROM platform_keyed_requests WHERE created_at < $1", time));
    return {};
  }

 private:
  sql::Connection& connection_;
};

}  // namespace

ErasedStore make_keys(sql::Connection& connection) {
  return erase<platform::KeyStore>(new SqlKeyStore(connection));
}

ErasedStore make_keyed_requests(sql::Connection& connection) {
  return erase<platform::KeyedRequestStore>(new SqlKeyedRequestStore(connection));
}

}  // namespace ecp::inline v0::storage::platform_stores
