// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One PostgreSQL session and its statements.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <libpq-fe.h>

#include <ecp/storage/sql/driver.hpp>

#include "storage/postgres/error.hpp"

namespace ecp::inline v0::storage::postgres {

struct CloseSession {
  void operator()(PGconn* session) const noexcept { PQfinish(session); }
};
using Session = std::unique_ptr<PGconn, CloseSession>;

class PostgresConnection;

class PostgresStatement final : public sql::Statement {
 public:
  PostgresStatement(PostgresConnection& connection, std::string text);
  void bind(int number, const sql::Parameter& value) override;
  Result<bool> step() override;
  [[nodiscard]] std::int64_t changes() const override { return changes_; }
  [[nodiscard]] bool is_null(int column) const override;
  [[nodiscard]] std::int64_t integer(int column) const override;
  [[nodiscard]] double real(int column) const override;
  [[nodiscard]] std::string_view text(int column) const override;
  [[nodiscard]] BytesView blob(int column) const override;
  void reset() override;

 private:
  /// One bound value as libpq takes it.
  struct Bound {
    Oid type = 0;  ///< 0: the server infers it (NULL).
    bool is_null = true;
    bool is_binary = false;
    std::string octets;
  };
  Result<void> run();
  Result<const std::string*> server_name();

  PostgresConnection& connection_;
  std::string text_;
  std::map<std::vector<Oid>, std::string> server_names_;  ///< By the types of the parameters.
  std::vector<Bound> bound_;
  bool bad_text_ = false;
  Answer answer_;
  int row_ = -1;  ///< -1 before the first step.
  std::int64_t changes_ = 0;
  mutable std::vector<std::string> decoded_;  ///< Octets of this row, by column.
};

class PostgresConnection final : public sql::Connection {
 public:
  explicit PostgresConnection(Session session) : session_(std::move(session)) {}
  Result<sql::Statement*> prepare(std::string_view text) override;
  Result<void> execute(std::string_view script) override;
  Result<void> begin(bool writes) override;
  Result<void> commit() override;
  void rollback() noexcept override;
  [[nodiscard]] bool needs_retry() const noexcept override { return needs_retry_; }
  Result<void> savepoint() override { return execute("SAVEPOINT unit"); }
  Result<void> release_savepoint() override { return execute("RELEASE unit"); }
  void rollback_to_savepoint() noexcept override;
  Result<Time> database_time() override;
  Result<void> claim_schema() override;
  void release_schema() noexcept override;
  [[nodiscard]] bool is_broken() const noexcept override { return broken_; }

 private:
  friend class PostgresStatement;
  /// Return the answer when it is a good one; else note and return what went wrong.
  Result<Answer> checked(PGresult* answer, std::string_view doing);
  Error fail(Error why);
  std::string next_name() { return "s" + std::to_string(++names_); }

  Session session_;
  std::map<std::string, std::unique_ptr<PostgresStatement>, std::less<>> statements_;
  std::optional<Error> failure_;  ///< The first of this transaction.
  std::uint64_t names_ = 0;
  bool begun_ = false;
  bool reads_ = false;
  bool needs_retry_ = false;
  bool broken_ = false;
};

}  // namespace ecp::inline v0::storage::postgres
