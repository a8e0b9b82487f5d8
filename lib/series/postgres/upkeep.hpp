// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// What is done to stored series now and then.

#include <ecp/series/series_store.hpp>
#include <ecp/storage/store.hpp>

namespace ecp::inline v0::series::postgres {

/// Remove whole days that are over at `keep`; return how many went. In pieces of bounded size, each
/// a transaction: days are not partitions, since late samples may make one of any day, and making
/// or dropping one would stop all readers and writers and need rights over the schema while we run.
[[nodiscard]] Result<std::int64_t> remove_days(storage::Store& store, Time keep);

/// Put the rows of each tag and of each hour that is over together, a bounded number of them; what
/// is left has its turn the next time.
[[nodiscard]] Result<void> merge_hours(storage::Store& store, Time now);

/// Remove everything of a service.
[[nodiscard]] Result<void> remove_service(storage::Store& store, const SeriesKey& key);

}  // namespace ecp::inline v0::series::postgres
