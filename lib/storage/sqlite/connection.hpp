// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One SQLite connection and its statements.

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <sqlite3.h>

#include <ecp/core/time.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::storage::sqlite {

struct CloseDatabase {
  void operator()(sqlite3* database) const noexcept { sqlite3_close_v2(database); }
};
using Database = std::unique_ptr<sqlite3, CloseDatabase>;

struct FinalizeStatement {
  void operator()(sqlite3_stmt* statement) const noexcept { sqlite3_finalize(statement); }
};
using Handle = std::unique_ptr<sqlite3_stmt, FinalizeStatement>;

class SqliteConnection;

class SqliteStatement final : public sql::Statement {
 public:
  SqliteStatement(SqliteConnection& connection, Handle handle);
  void bind(int number, const sql::Parameter& value) override;
  Result<bool> step() override;
  [[nodiscard]] std::int64_t changes() const override { return changes_; }
  [[nodiscard]] bool is_null(int column) const override;
  [[nodiscard]] std::int64_t integer(int column) const override;
  [[nodiscard]] double real(int column) const override;
  [[nodiscard]] std::string_view text(int column) const override;
  [[nodiscard]] BytesView blob(int column) const override;
  void reset() override;
  /// Let go of the rows (and with them of locks), as far as that has not happened.
  void finish() noexcept;

 private:
  [[nodiscard]] int position(int number) const;
  int bind_at(int position, const sql::Parameter& value);

  SqliteConnection& connection_;
  Handle handle_;
  std::optional<Error> bind_failure_;
  std::int64_t changes_ = 0;
  bool done_ = false;
  bool has_rows_ = false;  ///< Listed in its connection's with_rows_.
};

class SqliteConnection final : public sql::Connection {
 public:
  SqliteConnection(Database database, const Clock& clock)
      : database_(std::move(database)), clock_(clock) {}
  Result<sql::Statement*> prepare(std::string_view text) override;
  Result<void> execute(std::string_view script) override;
  Result<void> begin(bool writes) override;
  Result<void> commit() override;
  void rollback() noexcept override;
  Result<void> savepoint() override;
  Result<void> release_savepoint() override;
  void rollback_to_savepoint() noexcept override;
  Result<Time> database_time() override { return clock_.now(); }
  [[nodiscard]] bool is_broken() const noexcept override { return false; }

 private:
  friend class SqliteStatement;
  [[nodiscard]] Error failure(int code, std::string_view doing) const;
  Error fail(Error why);
  Result<void> run_word(const char* word);
  Result<void> set_query_only(bool on);
  [[nodiscard]] bool in_transaction() const noexcept;
  void finish_statements() noexcept;

  Database database_;
  const Clock& clock_;
  std::map<std::string, std::unique_ptr<SqliteStatement>, std::less<>> statements_;
  std::vector<SqliteStatement*> with_rows_;  ///< Stepped onto a row and perhaps not reset since.
  /// The first failure of this transaction: as in PostgreSQL, nothing works after it but rollback.
  std::optional<Error> failure_;
  bool begun_ = false;
  bool query_only_ = false;
};

}  // namespace ecp::inline v0::storage::sqlite
