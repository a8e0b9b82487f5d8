// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Storing batches in one transaction.

#include <string_view>
#include <utility>
#include <vector>

#include <ecp/series/series_store.hpp>
#include <ecp/storage/sql/driver.hpp>

namespace ecp::inline v0::series::postgres {

using KeyedBatches = std::vector<std::pair<SeriesKey, NumberedBatch>>;

/// Run at the beginning of a transaction: all that follows rests on locked rows, so that it needs
/// no more than to see what others have committed; replicas that store for different services are
/// never in each other's way.
[[nodiscard]] Result<void> relax(storage::sql::Connection& connection);

/// Rows of services, made when absent and locked until the transaction ends, in the order of
/// `keys`. Whatever changes a service's series locks it first.
[[nodiscard]] Result<std::vector<std::int64_t>> lock_services(storage::sql::Connection& connection,
                                                              const std::vector<SeriesKey>& keys);

/// Let a buffer of which nothing is known take the place of its agent's others.
[[nodiscard]] Result<void> begin_buffer(storage::sql::Connection& connection, const SeriesKey& key,
                                        const IdBytes& agent, std::string_view buffer_id);

/// Store what is new in some batches and say what is applied then. May run more than once.
[[nodiscard]] Result<std::vector<Applied>> append_batches(storage::sql::Connection& connection,
                                                          const KeyedBatches& batches, Time now);

/// Record a gap of a locked service.
[[nodiscard]] Result<void> insert_gap(storage::sql::Connection& connection, std::int64_t service,
                                      const Gap& gap);

/// Time of the newest sample of a service that is at most `at` and after `least`; none without.
[[nodiscard]] Result<std::optional<Time>> newest_until(storage::sql::Connection& connection,
                                                       std::int64_t service, Time least, Time at);

}  // namespace ecp::inline v0::series::postgres
