// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// PostgreSQL's SQLSTATEs as our errors.

#include <memory>
#include <string>
#include <string_view>

#include <libpq-fe.h>

#include <ecp/core/error.hpp>

namespace ecp::inline v0::storage::postgres {

struct ClearAnswer {
  void operator()(PGresult* answer) const noexcept { PQclear(answer); }
};
using Answer = std::unique_ptr<PGresult, ClearAnswer>;

/// One failure, and what it says about the connection and the transaction.
struct Failure {
  Error error;
  bool retry = false;   ///< Running the unit again may cure it.
  bool broken = false;  ///< The connection is of no more use.
};

/// Classify a failed answer; `answer` is null when none came. `doing` goes into the context,
/// `reads` tells that the unit promised not to write.
[[nodiscard]] Failure to_failure(PGconn* session, const PGresult* answer, std::string_view doing,
                                 bool reads);
/// libpq's last message on one line.
[[nodiscard]] std::string last_message(PGconn* session);

}  // namespace ecp::inline v0::storage::postgres
