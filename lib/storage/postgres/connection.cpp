// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres/connection.hpp"

#include <ecp/storage/reasons.hpp>

namespace ecp::inline v0::storage::postgres {
namespace {

/// Any number that other programs in the same database do not use: "ecp" and a counter.
constexpr const char* claim =
    "SET statement_timeout = 0; SET lock_timeout = '60s';"
    "SELECT pg_advisory_lock(7300972601)";
constexpr const char* unclaim =
    "SELECT pg_advisory_unlock(7300972601);"
    "SET statement_timeout = '30s'; SET lock_timeout = '10s'";

}  // namespace

Result<sql::Statement*> PostgresConnection::prepare(std::string_view text) {
  if (failure_) return *failure_;
  const auto known = statements_.find(text);
  if (known != statements_.end()) {
    known->second->reset();
    return known->second.get();
  }
  auto statement = std::make_unique<PostgresStatement>(*this, std::string(text));
  return statements_.emplace(text, std::move(statement)).first->second.get();
}

Result<void> PostgresConnection::execute(std::string_view script) {
  if (failure_) return *failure_;
  const std::string text(script);
  ECP_TRY_VOID(checked(PQexec(session_.get(), text.c_str()), script));
  return {};
}

Result<void> PostgresConnection::begin(bool writes) {
  needs_retry_ = false;
  reads_ = !writes;
  // A unit that only reads needs one snapshot and no more: it takes part in no conflict.
  ECP_TRY_VOID(execute(writes ? "BEGIN ISOLATION LEVEL SERIALIZABLE READ WRITE"
                              : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
  begun_ = true;
  return {};
}

Result<void> PostgresConnection::commit() {
  if (failure_) return *failure_;
  auto answer = checked(PQexec(session_.get(), "COMMIT"), "COMMIT");
  if (!answer) {
    if (broken_ && !reads_) return Error(reasons::commit_unknown, {}, answer.error().describe());
    return std::move(answer).error();
  }
  if (std::string_view(PQcmdStatus(answer->get())) != "COMMIT") {
    return Error(reasons::bad_statement, {}, "the transaction had been aborted");
  }
  begun_ = false;
  return {};
}

void PostgresConnection::rollback() noexcept {
  if (!broken_ && PQtransactionStatus(session_.get()) != PQTRANS_IDLE) {
    const Answer answer(PQexec(session_.get(), "ROLLBACK"));
    broken_ = PQresultStatus(answer.get()) != PGRES_COMMAND_OK;
  }
  begun_ = false;
  failure_.reset();
}

void PostgresConnection::rollback_to_savepoint() noexcept {
  const Answer answer(PQexec(session_.get(), "ROLLBACK TO unit; RELEASE unit"));
  if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK) failure_.reset();
}

Result<Time> PostgresConnection::database_time() {
  ECP_TRY(auto* const row,
          prepare("SELECT CAST(FLOOR(EXTRACT(EPOCH FROM clock_timestamp()) * 1000) AS BIGINT)"));
  ECP_TRY_VOID(row->step());
  return from_ms(row->integer(0));
}

Result<void> PostgresConnection::claim_schema() { return execute(claim); }

void PostgresConnection::release_schema() noexcept {
  if (!broken_) (void)execute(unclaim);  // Held until disconnect at worst.
}

Result<Answer> PostgresConnection::checked(PGresult* received, std::string_view doing) {
  Answer answer(received);
  const auto status = PQresultStatus(received);
  if (status == PGRES_COMMAND_OK || status == PGRES_TUPLES_OK) return answer;
  auto failure = to_failure(session_.get(), received, doing, reads_);
  broken_ = broken_ || failure.broken;
  needs_retry_ = needs_retry_ || failure.retry;
  return fail(std::move(failure.error));
}

Error PostgresConnection::fail(Error why) {
  if (begun_ && !failure_) failure_ = why;
  return why;
}

}  // namespace ecp::inline v0::storage::postgres
