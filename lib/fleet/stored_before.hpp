// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Samples that come again under other numbers.

#include <cstdint>
#include <utility>
#include <vector>

#include <ecp/series/series_store.hpp>

namespace ecp::inline v0::fleet {

/// The numbers, up to `renumbered`, of samples that a series has already: of the same tag and time,
/// with the same value. A buffer that was numbered anew may send what came before it was.
[[nodiscard]] Result<std::vector<std::pair<std::int64_t, std::int64_t>>> stored_before(
    series::SeriesStore& store, const series::SeriesKey& key, const series::NumberedBatch& batch,
    std::int64_t renumbered);

}  // namespace ecp::inline v0::fleet
