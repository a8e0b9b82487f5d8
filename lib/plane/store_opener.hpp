// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// From what the configuration names to what keeps records and values.

#include <memory>

#include <ecp/core/env.hpp>
#include <ecp/core/result.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::plane {

/// Open the store of `config.store_url`. Fails with `invalid_argument` (plane.unknown_store), and
/// as the backend's open.
[[nodiscard]] Result<std::unique_ptr<storage::Store>> open_store(const PlaneConfig& config,
                                                                 const Env& env);

/// Open the series of `config.series_url`, or those that go with the store: files in the data
/// folder beside SQLite, tables of the same database in PostgreSQL. Fails as `open_store`.
[[nodiscard]] Result<std::unique_ptr<series::SeriesStore>> open_series(const PlaneConfig& config,
                                                                       const Env& env);

}  // namespace ecp::inline v0::plane
