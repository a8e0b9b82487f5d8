// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite/connection.hpp"

#include <ecp/storage/reasons.hpp>

#include "storage/sqlite/error.hpp"

namespace ecp::inline v0::storage::sqlite {

Result<sql::Statement*> SqliteConnection::prepare(std::string_view text) {
  const auto known = statements_.find(text);
  if (known != statements_.end()) {
    known->second->reset();
    return known->second.get();
  }
  sqlite3_stmt* made = nullptr;
  const char* rest = nullptr;
  const int code = sqlite3_prepare_v3(database_.get(), text.data(), static_cast<int>(text.size()),
                                      SQLITE_PREPARE_PERSISTENT, &made, &rest);
  Handle handle(made);
  if (code != SQLITE_OK) return fail(failure(code, text));
  const auto used = static_cast<std::size_t>(rest - text.data());
  if (!handle || text.find_first_not_of(" \t\n;", used) != std::string_view::npos) {
    return fail(Error(reasons::bad_statement, {}, "not one statement: " + std::string(text)));
  }
  auto statement = std::make_unique<SqliteStatement>(*this, std::move(handle));
  return statements_.emplace(text, std::move(statement)).first->second.get();
}

Result<void> SqliteConnection::execute(std::string_view script) {
  if (failure_) return *failure_;
  const std::string text(script);
  const int code = sqlite3_exec(database_.get(), text.c_str(), nullptr, nullptr, nullptr);
  if (code != SQLITE_OK) return fail(failure(code, script));
  return {};
}

Result<void> SqliteConnection::begin(bool writes) {
  ECP_TRY_VOID(set_query_only(!writes));
  ECP_TRY_VOID(run_word(writes ? "BEGIN IMMEDIATE" : "BEGIN"));
  begun_ = true;
  return {};
}

Result<void> SqliteConnection::commit() {
  finish_statements();
  if (failure_) return *failure_;
  return run_word("COMMIT");
}

void SqliteConnection::rollback() noexcept {
  finish_statements();
  if (in_transaction()) {
    sqlite3_exec(database_.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  begun_ = false;
  failure_.reset();
}

Result<void> SqliteConnection::savepoint() {
  // A full disk or a read error can end the whole transaction; a savepoint would then begin one.
  if (!in_transaction()) {
    return Error(reasons::unavailable, {{"problem", "the transaction was rolled back"}});
  }
  return run_word("SAVEPOINT unit");
}

Result<void> SqliteConnection::release_savepoint() {
  finish_statements();
  if (failure_) return *failure_;
  return run_word("RELEASE unit");
}

void SqliteConnection::rollback_to_savepoint() noexcept {
  finish_statements();
  failure_.reset();
  if (!in_transaction()) return;
  sqlite3_exec(database_.get(), "ROLLBACK TO unit; RELEASE unit", nullptr, nullptr, nullptr);
}

Error SqliteConnection::failure(int code, std::string_view doing) const {
  return to_error(database_.get(), code, doing, query_only_);
}

Error SqliteConnection::fail(Error why) {
  if (begun_ && !failure_) failure_ = why;
  return why;
}

/// Run one of the fixed statements that frame a transaction.
Result<void> SqliteConnection::run_word(const char* word) {
  ECP_TRY(auto* const statement, prepare(word));
  ECP_TRY_VOID(statement->step());
  if (!in_transaction()) begun_ = false;
  return {};
}

/// So that a unit that only reads fails on every database when it writes.
Result<void> SqliteConnection::set_query_only(bool on) {
  if (query_only_ == on) return {};
  ECP_TRY_VOID(execute(on ? "PRAGMA query_only = 1" : "PRAGMA query_only = 0"));
  query_only_ = on;
  return {};
}

bool SqliteConnection::in_transaction() const noexcept {
  return sqlite3_get_autocommit(database_.get()) == 0;
}

void SqliteConnection::finish_statements() noexcept {
  for (auto* statement : with_rows_) statement->finish();
  with_rows_.clear();
}

}  // namespace ecp::inline v0::storage::sqlite
