// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// The port under the stores: one database, seen as connections that run SQL.
/// An OEM plugs his own database in here.
///
/// One SQL text runs on every database, so it keeps to what SQLite 3.40 and PostgreSQL 15 share:
/// parameters are $1, $2, ... (bound by number, typed by the value), integers are BIGINT, times
/// BIGINT milliseconds, booleans BIGINT compared `= 1`, JSON is TEXT, octets BYTEA (an unknown word
/// to SQLite, which keeps octets as they are), uniqueness is ON CONFLICT DO NOTHING and the row
/// count; a nullable parameter is cast: CAST($1 AS TEXT).

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>

#include <ecp/core/bytes.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/id.hpp>
#include <ecp/core/page.hpp>
#include <ecp/core/result.hpp>
#include <ecp/core/time.hpp>

namespace ecp::inline v0::storage::sql {

struct Null {};
/// Octets as opposed to text.
struct Blob {
  BytesView octets;
};

/// One parameter. `bind` copies text and octets.
using Parameter = std::variant<Null, std::int64_t, double, std::string_view, Blob>;

/// Make parameters of the types used in stores.
[[nodiscard]] inline Parameter parameter(std::int64_t number) { return number; }
[[nodiscard]] inline Parameter parameter(int number) { return std::int64_t{number}; }
[[nodiscard]] inline Parameter parameter(bool flag) { return std::int64_t{flag ? 1 : 0}; }
[[nodiscard]] inline Parameter parameter(double number) { return number; }
[[nodiscard]] inline Parameter parameter(std::string_view text) { return text; }
[[nodiscard]] inline Parameter parameter(const char* text) { return std::string_view(text); }
[[nodiscard]] inline Parameter parameter(Blob blob) { return blob; }
[[nodiscard]] inline Parameter parameter(Null null) { return null; }
[[nodiscard]] inline Parameter parameter(Time time) { return to_ms(time); }
[[nodiscard]] inline Parameter parameter(Revision revision) { return to_number(revision); }

/// A prepared statement of one connection; rows are stepped one by one.
///
/// Thread safety: bound to its connection's thread.
/// Errors: `unavailable` when the database cannot be reached or is busy beyond the patience of the
///   driver, `conflict` for a serialization failure (the unit runs again), `already_exists` for a
///   violated constraint, `data_loss` for a damaged file, `internal` for SQL that is wrong.
class ECP_EXPORT Statement {
 public:
  virtual ~Statement();
  /// Bind $number (from 1). Values stay bound until reset. A text with a NUL makes the next step
  /// fail with `invalid_argument`.
  virtual void bind(int number, const Parameter& value) = 0;
  /// Go to the next row; false when there is none. The first step executes.
  virtual Result<bool> step() = 0;
  /// Rows changed by the last completed INSERT, UPDATE or DELETE.
  [[nodiscard]] virtual std::int64_t changes() const = 0;
  [[nodiscard]] virtual bool is_null(int column) const = 0;  ///< Columns count from 0.
  [[nodiscard]] virtual std::int64_t integer(int column) const = 0;
  [[nodiscard]] virtual double real(int column) const = 0;
  /// Text or octets; valid until the next step or reset.
  [[nodiscard]] virtual std::string_view text(int column) const = 0;
  [[nodiscard]] virtual BytesView blob(int column) const = 0;
  /// Ready for another run; bindings are dropped.
  virtual void reset() = 0;
};

/// One connection. Statements are prepared once per connection and kept by their text.
class ECP_EXPORT Connection {
 public:
  virtual ~Connection();
  /// The prepared statement for a text, reset and ready to bind. Kept as long as the connection:
  /// texts come from a small set.
  virtual Result<Statement*> prepare(std::string_view text) = 0;
  /// Run statements without parameters or rows (migrations).
  virtual Result<void> execute(std::string_view script) = 0;
  virtual Result<void> begin(bool writes) = 0;
  virtual Result<void> commit() = 0;
  virtual void rollback() noexcept = 0;
  /// True after a failure of this transaction that running its unit again may cure.
  [[nodiscard]] virtual bool needs_retry() const noexcept { return false; }
  /// Savepoints nest a unit inside a batch; used by drivers with a single writer.
  virtual Result<void> savepoint() = 0;
  virtual Result<void> release_savepoint() = 0;
  virtual void rollback_to_savepoint() noexcept = 0;
  /// The database's clock, for leases only.
  virtual Result<Time> database_time() = 0;
  /// Keep other programs from changing the schema, from before `begin` until `release_schema` or
  /// the connection's end. Databases whose `begin(true)` does that need nothing more.
  virtual Result<void> claim_schema() { return {}; }
  virtual void release_schema() noexcept {}
  /// True when the connection must be thrown away and made anew.
  [[nodiscard]] virtual bool is_broken() const noexcept = 0;

  /// Run a statement that returns no rows; return the number of rows changed.
  template <class... Values>
  Result<std::int64_t> run(std::string_view text, const Values&... values) {
    auto statement = bound(text, values...);
    if (!statement) return std::move(statement).error();
    auto row = (*statement)->step();
    const auto changed = row ? (*statement)->changes() : 0;
    (*statement)->reset();
    if (!row) return std::move(row).error();
    return changed;
  }
  /// Return a statement with everything bound, ready to be stepped.
  template <class... Values>
  Result<Statement*> bound(std::string_view text, const Values&... values) {
    auto statement = prepare(text);
    if (!statement) return std::move(statement).error();
    [[maybe_unused]] int number = 0;
    ((*statement)->bind(++number, to_parameter(values)), ...);
    return statement;
  }

 private:
  template <class Value>
  static Parameter to_parameter(const Value& value) {
    return parameter(value);
  }
  template <class Value>
  static Parameter to_parameter(const std::optional<Value>& value) {
    return value ? parameter(*value) : Parameter{Null{}};
  }
  static Parameter to_parameter(const Parameter& value) { return value; }
  static Parameter to_parameter(const std::string& value) { return std::string_view(value); }
};

/// How a backend wants units to be run.
enum class WriteModel {
  single_writer,  ///< One writer thread groups units, each in a savepoint (SQLite).
  concurrent,     ///< Any number of connections, conflicts are retried (PostgreSQL).
  in_caller,      ///< One writing connection, used in the caller's thread (simulation).
};

/// Opens connections to one database.
///
/// Thread safety: any thread.
class ECP_EXPORT Driver {
 public:
  virtual ~Driver();
  virtual Result<std::unique_ptr<Connection>> connect() = 0;
  [[nodiscard]] virtual WriteModel write_model() const noexcept = 0;
  /// How many connections a store keeps at most, besides that of a single writer.
  [[nodiscard]] virtual unsigned pool_size() const noexcept { return 4; }
  /// "sqlite", "postgres", or an OEM's name; for logs.
  [[nodiscard]] virtual std::string_view name() const noexcept = 0;
};

}  // namespace ecp::inline v0::storage::sql
