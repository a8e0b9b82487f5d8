// SPDX-License-Identifier: Apache-2.0
#include "storage/sqlite/error.hpp"

#include <string>

#include <ecp/storage/reasons.hpp>

namespace ecp::inline v0::storage::sqlite {
namespace {

std::string describe(sqlite3* database, int code) {
  std::string text = sqlite3_errstr(code);
  if (database == nullptr) return text;
  const std::string detail = sqlite3_errmsg(database);
  if (detail != text) text += ": " + detail;
  return text + " (" + std::to_string(sqlite3_extended_errcode(database)) + ")";
}

}  // namespace

Error to_error(sqlite3* database, int code, std::string_view doing, bool read_only) {
  const auto problem = describe(database, code);
  const auto where = "while running: " + std::string(doing);
  switch (code & 0xff) {
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Error(reasons::busy, {}, where);
    case SQLITE_CONSTRAINT:
      return Error(reasons::constraint, {}, problem + " " + where);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
      return Error(reasons::damaged, {{"problem", problem}}, where);
    case SQLITE_FULL:
      return Error(reasons::disk_full, {}, where);
    case SQLITE_READONLY:
      if (read_only) return Error(reasons::read_only, {}, where);
      [[fallthrough]];
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
    case SQLITE_PERM:
    case SQLITE_AUTH:
    case SQLITE_PROTOCOL:
    case SQLITE_NOLFS:
      return Error(reasons::io, {{"problem", problem}}, where);
    case SQLITE_NOMEM:
    case SQLITE_INTERRUPT:
      return Error(reasons::unavailable, {{"problem", problem}}, where);
    default:
      return Error(reasons::bad_statement, {}, problem + " " + where);
  }
}

}  // namespace ecp::inline v0::storage::sqlite
