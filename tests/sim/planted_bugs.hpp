// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Parts with a bug each, to see that the simulation finds it.

#include <memory>

#include <ecp/series/series_store.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp_test {

/// Says of every 50th batch that it is stored, and stores nothing of it.
[[nodiscard]] std::unique_ptr<ecp::series::SeriesStore> lying_series(
    std::unique_ptr<ecp::series::SeriesStore> real);

/// Stores samples again that are stored under other numbers.
[[nodiscard]] std::unique_ptr<ecp::series::SeriesStore> forgetful_series(
    std::unique_ptr<ecp::series::SeriesStore> real);

/// Does not tell tenants apart.
[[nodiscard]] std::unique_ptr<ecp::series::SeriesStore> open_series(
    std::unique_ptr<ecp::series::SeriesStore> real);

/// The platform's stores, but every fifth notice is lost.
[[nodiscard]] const ecp::storage::StoreModule& platform_module_that_loses_notices();

/// The agent's stores, but a command is never written to the journal before it runs.
[[nodiscard]] const ecp::storage::StoreModule& agent_module_without_journal();

/// The agent's stores, but a manifest is written only when there is none yet.
[[nodiscard]] const ecp::storage::StoreModule& agent_module_with_first_manifest();

}  // namespace ecp_test
