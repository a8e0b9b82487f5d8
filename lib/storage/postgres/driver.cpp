// SPDX-License-Identifier: Apache-2.0
#include <charconv>

#include <ecp/storage/postgres.hpp>
#include <ecp/storage/reasons.hpp>

#include "storage/postgres/connection.hpp"

namespace ecp::inline v0::storage {
namespace postgres {
namespace {

constexpr int oldest_version = 15;

/// What every session of ours has, whatever the server's configuration says.
constexpr const char* settings =
    "SET client_min_messages = 'warning'; SET bytea_output = 'hex'; SET extra_float_digits = 1;"
    "SET statement_timeout = '30s'; SET lock_timeout = '10s';"
    // A replica that is frozen in a transaction gives up its locks while others still wait for
    // them.
    "SET idle_in_transaction_session_timeout = '5s';"
    "SELECT set_config('synchronous_commit', 'on', false)"
    " WHERE current_setting('synchronous_commit') IN ('off', 'local')";

constexpr const char* facts =
    "SELECT current_setting('server_version_num'), pg_encoding_to_char(encoding), datcollate,"
    " datlocprovider FROM pg_database WHERE datname = current_database()";

Error unsuitable(std::string problem) {
  return Error(reasons::unsuitable, {{"problem", std::move(problem)}});
}

Result<void> check_facts(PGconn* session) {
  const Answer answer(PQexec(session, facts));
  if (PQresultStatus(answer.get()) != PGRES_TUPLES_OK || PQntuples(answer.get()) != 1) {
    return to_failure(session, answer.get(), facts, true).error;
  }
  const auto fact = [&](int column) {
    return std::string_view(PQgetvalue(answer.get(), 0, column));
  };
  int version = 0;
  std::from_chars(fact(0).data(), fact(0).data() + fact(0).size(), version);
  if (version / 10'000 < oldest_version) {
    return unsuitable("its server is PostgreSQL " + std::to_string(version / 10'000) +
                      ", at least " + std::to_string(oldest_version) + " is needed");
  }
  const bool byte_order = fact(3) == "c" && (fact(2) == "C" || fact(2) == "POSIX");
  if (fact(1) == "UTF8" && byte_order) return {};
  return unsuitable("it has encoding " + std::string(fact(1)) + " and collation " +
                    std::string(fact(2)) +
                    "; create it with TEMPLATE template0 ENCODING 'UTF8' LOCALE 'C'");
}

class PostgresDriver final : public sql::Driver {
 public:
  explicit PostgresDriver(PostgresOptions options) : options_(std::move(options)) {}

  Result<std::unique_ptr<sql::Connection>> connect() override {
    // What the URL says comes last and wins.
    const char* const names[] = {
        "connect_timeout",           "keepalives_idle",  "keepalives_interval",
        "keepalives_count",          "tcp_user_timeout", "client_encoding",
        "fallback_application_name", "dbname",           nullptr};
    const char* const values[] = {
        "5", "10", "5", "3", "20000", "UTF8", "ecp", options_.url.c_str(), nullptr};
    Session session(PQconnectdbParams(names, values, 1));
    if (!session) return Error(reasons::unavailable, {{"problem", "out of memory"}});
    if (PQstatus(session.get()) != CONNECTION_OK) {
      return Error(reasons::unavailable, {{"problem", last_message(session.get())}});
    }
    PQsetNoticeProcessor(
        session.get(), [](void*, const char*) {}, nullptr);
    ECP_TRY_VOID(check_facts(session.get()));
    auto connection = std::make_unique<PostgresConnection>(std::move(session));
    ECP_TRY_VOID(connection->execute(settings));
    return connection;
  }

  [[nodiscard]] sql::WriteModel write_model() const noexcept override {
    return sql::WriteModel::concurrent;
  }
  [[nodiscard]] unsigned pool_size() const noexcept override { return options_.connections; }
  [[nodiscard]] std::string_view name() const noexcept override { return "postgres"; }

 private:
  PostgresOptions options_;
};

/// Refuse a broken URL before libpq does, whose message would repeat it.
Result<void> check_url(const std::string& url) {
  char* problem = nullptr;
  auto* const parsed = PQconninfoParse(url.c_str(), &problem);
  PQfreemem(problem);
  if (parsed == nullptr) {
    return unsuitable("its URL is not of the form postgresql://user@host:port/database");
  }
  PQconninfoFree(parsed);
  return {};
}

}  // namespace
}  // namespace postgres

Result<std::unique_ptr<sql::Driver>> postgres_driver(const PostgresOptions& options) {
  ECP_TRY_VOID(postgres::check_url(options.url));
  return std::make_unique<postgres::PostgresDriver>(options);
}

Result<std::unique_ptr<Store>> open_postgres(const PostgresOptions& options,
                                             std::span<const StoreModule* const> modules,
                                             const Env& env) {
  ECP_TRY(auto driver, postgres_driver(options));
  return open_store(std::move(driver), modules, env);
}

}  // namespace ecp::inline v0::storage
