// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Values over time in PostgreSQL (15 or later), for one control plane or several replicas of it.

#include <memory>
#include <string>

#include <ecp/core/env.hpp>
#include <ecp/core/export.hpp>
#include <ecp/core/result.hpp>
#include <ecp/series/series_store.hpp>

namespace ecp::inline v0::series {

/// Options of series in PostgreSQL.
struct PostgresSeriesOptions {
  std::string url;           ///< "postgresql://user@host/db"; may be the control plane's database.
  unsigned connections = 4;  ///< Pool size.
};

/// Open series in PostgreSQL, and make their tables when there are none. Any number of processes
/// may use them at once: nothing is remembered outside the database. Fails as
/// `storage::open_postgres`.
[[nodiscard]] ECP_EXPORT Result<std::unique_ptr<SeriesStore>> open_postgres_series(
    const PostgresSeriesOptions& options, const Env& env);

}  // namespace ecp::inline v0::series
