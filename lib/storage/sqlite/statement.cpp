// SPDX-License-Identifier: Apache-2.0
#include <string>

#include <ecp/storage/reasons.hpp>

#include "storage/sqlite/connection.hpp"

namespace ecp::inline v0::storage::sqlite {
namespace {

constexpr const char* or_empty(const char* octets) { return octets == nullptr ? "" : octets; }

}  // namespace

SqliteStatement::SqliteStatement(SqliteConnection& connection, Handle handle)
    : connection_(connection), handle_(std::move(handle)) {}

/// SQLite counts $1, $2 by first appearance, so the number is looked up as a name.
int SqliteStatement::position(int number) const {
  const auto name = "$" + std::to_string(number);
  return sqlite3_bind_parameter_index(handle_.get(), name.c_str());
}

void SqliteStatement::bind(int number, const sql::Parameter& value) {
  const auto* text = std::get_if<std::string_view>(&value);
  if (text != nullptr && text->find('\0') != std::string_view::npos) {
    bind_failure_ = reasons::bad_text;
    return;
  }
  const int code = bind_at(position(number), value);
  if (code != SQLITE_OK) {
    bind_failure_ = connection_.failure(code, sqlite3_sql(handle_.get()));
  }
}

int SqliteStatement::bind_at(int position, const sql::Parameter& value) {
  auto* const handle = handle_.get();
  if (const auto* number = std::get_if<std::int64_t>(&value)) {
    return sqlite3_bind_int64(handle, position, *number);
  }
  if (const auto* real = std::get_if<double>(&value)) {
    return sqlite3_bind_double(handle, position, *real);
  }
  if (const auto* text = std::get_if<std::string_view>(&value)) {
    return sqlite3_bind_text64(handle, position, or_empty(text->data()), text->size(),
                               SQLITE_TRANSIENT, SQLITE_UTF8);
  }
  if (const auto* blob = std::get_if<sql::Blob>(&value)) {
    // A null pointer would bind NULL in place of zero octets.
    return sqlite3_bind_blob64(handle, position, or_empty(blob->octets.data()), blob->octets.size(),
                               SQLITE_TRANSIENT);
  }
  return sqlite3_bind_null(handle, position);
}

Result<bool> SqliteStatement::step() {
  if (connection_.failure_) return *connection_.failure_;
  if (done_) return false;
  if (bind_failure_) return connection_.fail(*bind_failure_);
  const int code = sqlite3_step(handle_.get());
  if (code == SQLITE_ROW) {
    if (!has_rows_) connection_.with_rows_.push_back(this);
    has_rows_ = true;
    return true;
  }
  done_ = true;
  if (code != SQLITE_DONE) {
    auto failure = connection_.failure(code, sqlite3_sql(handle_.get()));
    sqlite3_reset(handle_.get());
    return connection_.fail(std::move(failure));
  }
  const bool reads = sqlite3_stmt_readonly(handle_.get()) != 0;
  changes_ = reads ? 0 : sqlite3_changes64(connection_.database_.get());
  sqlite3_reset(handle_.get());
  return false;
}

bool SqliteStatement::is_null(int column) const {
  return sqlite3_column_type(handle_.get(), column) == SQLITE_NULL;
}

std::int64_t SqliteStatement::integer(int column) const {
  return sqlite3_column_int64(handle_.get(), column);
}

double SqliteStatement::real(int column) const {
  return sqlite3_column_double(handle_.get(), column);
}

std::string_view SqliteStatement::text(int column) const {
  // The order matters: the size is that of the text made by the first call.
  const auto* octets = reinterpret_cast<const char*>(sqlite3_column_text(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return {or_empty(octets), size};
}

BytesView SqliteStatement::blob(int column) const {
  const auto* octets = static_cast<const char*>(sqlite3_column_blob(handle_.get(), column));
  const auto size = static_cast<std::size_t>(sqlite3_column_bytes(handle_.get(), column));
  return {or_empty(octets), size};
}

void SqliteStatement::reset() {
  sqlite3_reset(handle_.get());
  sqlite3_clear_bindings(handle_.get());
  bind_failure_.reset();
  changes_ = 0;
  done_ = false;
}

void SqliteStatement::finish() noexcept {
  sqlite3_reset(handle_.get());
  has_rows_ = false;
  done_ = true;
}

}  // namespace ecp::inline v0::storage::sqlite
