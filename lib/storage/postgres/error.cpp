// SPDX-License-Identifier: Apache-2.0
#include "storage/postgres/error.hpp"

#include <ecp/storage/reasons.hpp>

namespace ecp::inline v0::storage::postgres {
namespace {

std::string one_line(const char* message) {
  std::string text = message == nullptr ? "" : message;
  for (auto& character : text) {
    if (character == '\n' || character == '\t') character = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

const char* field(const PGresult* answer, int code) {
  const char* text = answer == nullptr ? nullptr : PQresultErrorField(answer, code);
  return text == nullptr ? "" : text;
}

/// Classes in which the server, or its operator, ended the session.
bool ends_session(std::string_view state) {
  return state.substr(0, 2) == "08" || state == "57P01" || state == "57P02" || state == "57P03" ||
         state == "57P05" || state == "25P03";
}

Error classify(std::string_view state, const std::string& problem, const std::string& where,
               bool reads) {
  const auto family = state.substr(0, 2);
  if (state == "40001" || state == "40P01") return Error(reasons::serialization, {}, where);
  if (family == "23") return Error(reasons::constraint, {}, problem + " " + where);
  if (state == "53100") return Error(reasons::disk_full, {}, where);
  if (state == "55P03" || state == "57014") return Error(reasons::busy, {}, where);
  if (state == "XX001" || state == "XX002") {
    return Error(reasons::damaged, {{"problem", problem}}, where);
  }
  if (state == "25006" && reads) return Error(reasons::read_only, {}, where);
  if (state == "22021" || state == "22P05") return Error(reasons::bad_text, {}, where);
  if (family == "53" || family == "57" || family == "58" || state == "25006") {
    return Error(reasons::unavailable, {{"problem", problem}}, where);
  }
  return Error(reasons::bad_statement, {}, problem + " (" + std::string(state) + ") " + where);
}

}  // namespace

std::string last_message(PGconn* session) { return one_line(PQerrorMessage(session)); }

Failure to_failure(PGconn* session, const PGresult* answer, std::string_view doing, bool reads) {
  const std::string_view state = field(answer, PG_DIAG_SQLSTATE);
  const auto where = "while running: " + std::string(doing);
  if (state.empty() || ends_session(state) || PQstatus(session) != CONNECTION_OK) {
    return {Error(reasons::unavailable, {{"problem", last_message(session)}}, where), false, true};
  }
  const auto problem = one_line(field(answer, PG_DIAG_MESSAGE_PRIMARY));
  const bool retry = state == "40001" || state == "40P01";
  return {classify(state, problem, where, reads), retry, false};
}

}  // namespace ecp::inline v0::storage::postgres
