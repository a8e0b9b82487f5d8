// SPDX-License-Identifier: Apache-2.0
#include <cassert>
#include <charconv>

#include <ecp/storage/reasons.hpp>

#include "storage/postgres/connection.hpp"

namespace ecp::inline v0::storage::postgres {
namespace {

// Stable numbers of PostgreSQL's built-in types (pg_type.dat).
constexpr Oid bool_type = 16;
constexpr Oid bytea_type = 17;
constexpr Oid int8_type = 20;
constexpr Oid text_type = 25;
constexpr Oid float8_type = 701;

template <class Number>
std::string number_text(Number number) {
  char buffer[64];
  const auto end = std::to_chars(std::begin(buffer), std::end(buffer), number).ptr;
  return {buffer, end};
}

template <class Number>
Number parse_number(std::string_view text) {
  Number number{};
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

}  // namespace

PostgresStatement::PostgresStatement(PostgresConnection& connection, std::string text)
    : connection_(connection), text_(std::move(text)) {}

void PostgresStatement::bind(int number, const sql::Parameter& value) {
  assert(number >= 1);
  const auto index = static_cast<std::size_t>(number - 1);
  if (bound_.size() <= index) bound_.resize(index + 1);
  auto& bound = bound_[index];
  bound = {};
  if (std::holds_alternative<sql::Null>(value)) return;
  bound.is_null = false;
  if (const auto* integer = std::get_if<std::int64_t>(&value)) {
    bound.type = int8_type;
    bound.octets = number_text(*integer);
  } else if (const auto* real = std::get_if<double>(&value)) {
    bound.type = float8_type;
    bound.octets = number_text(*real);
  } else if (const auto* text = std::get_if<std::string_view>(&value)) {
    bound.type = text_type;
    bound.octets = *text;
    if (text->find('\0') != std::string_view::npos) bad_text_ = true;
  } else if (const auto* blob = std::get_if<sql::Blob>(&value)) {
    bound.type = bytea_type;
    bound.is_binary = true;
    bound.octets = blob->octets;
  }
}

Result<bool> PostgresStatement::step() {
  if (connection_.failure_) return *connection_.failure_;
  if (row_ < 0) ECP_TRY_VOID(run());
  ++row_;
  decoded_.clear();
  return answer_ != nullptr && row_ < PQntuples(answer_.get());
}

Result<void> PostgresStatement::run() {
  if (bad_text_) return connection_.fail(reasons::bad_text);
  ECP_TRY(const auto* const name, server_name());
  std::vector<const char*> values;
  std::vector<int> sizes;
  std::vector<int> formats;
  for (const auto& bound : bound_) {
    values.push_back(bound.is_null ? nullptr : bound.octets.c_str());
    sizes.push_back(static_cast<int>(bound.octets.size()));
    formats.push_back(bound.is_binary ? 1 : 0);
  }
  auto* const session = connection_.session_.get();
  ECP_TRY(answer_, connection_.checked(
                       PQexecPrepared(session, name->c_str(), static_cast<int>(bound_.size()),
                                      values.data(), sizes.data(), formats.data(), 0),
                       text_));
  const std::string_view command = PQcmdStatus(answer_.get());
  const bool reads = command.substr(0, 6) == "SELECT";
  changes_ = reads ? 0 : parse_number<std::int64_t>(PQcmdTuples(answer_.get()));
  return {};
}

/// The server's name of this text, prepared for the types now bound: the same text runs with NULL,
/// whose type the server must infer, and with a value.
Result<const std::string*> PostgresStatement::server_name() {
  std::vector<Oid> types;
  for (const auto& bound : bound_) types.push_back(bound.type);
  const auto known = server_names_.find(types);
  if (known != server_names_.end()) return &known->second;
  const auto name = connection_.next_name();
  ECP_TRY_VOID(
      connection_.checked(PQprepare(connection_.session_.get(), name.c_str(), text_.c_str(),
                                    static_cast<int>(types.size()), types.data()),
                          text_));
  return &server_names_.emplace(std::move(types), name).first->second;
}

bool PostgresStatement::is_null(int column) const {
  return PQgetisnull(answer_.get(), row_, column) != 0;
}

std::int64_t PostgresStatement::integer(int column) const {
  const auto value = text(column);
  if (PQftype(answer_.get(), column) == bool_type) return value == "t" ? 1 : 0;
  return parse_number<std::int64_t>(value);
}

double PostgresStatement::real(int column) const { return parse_number<double>(text(column)); }

std::string_view PostgresStatement::text(int column) const {
  const auto size = static_cast<std::size_t>(PQgetlength(answer_.get(), row_, column));
  return {PQgetvalue(answer_.get(), row_, column), size};
}

BytesView PostgresStatement::blob(int column) const {
  const auto value = text(column);
  if (PQftype(answer_.get(), column) != bytea_type) return value;
  if (decoded_.empty()) decoded_.resize(static_cast<std::size_t>(PQnfields(answer_.get())));
  auto& decoded = decoded_[static_cast<std::size_t>(column)];
  if (decoded.empty() && value.size() > 2) {
    auto octets = from_hex(value.substr(2));  // After "\x".
    if (octets) decoded = std::move(*octets);
  }
  return decoded;
}

void PostgresStatement::reset() {
  bound_.clear();
  answer_.reset();
  decoded_.clear();
  bad_text_ = false;
  row_ = -1;
  changes_ = 0;
}

}  // namespace ecp::inline v0::storage::postgres
