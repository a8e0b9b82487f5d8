// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// Parts with a bug each, to see that the simulation finds it.

#include <memory>

#include <ecp/core/id.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/transaction.hpp>

namespace ecp_test {

using SeriesPart = std::unique_ptr<ecp::series::SeriesStore>;

/// One in five: whom a bug hits that hits some.
[[nodiscard]] inline bool is_unlucky(const ecp::IdBytes& id) { return id.back() % 5 == 0; }

// A series store that ...
/// ... says of every 50th batch that it is stored, and stores nothing of it.
[[nodiscard]] SeriesPart lying_series(SeriesPart real);
/// ... says so of all of them.
[[nodiscard]] SeriesPart empty_series(SeriesPart real);
/// ... stores samples again that are stored under other numbers.
[[nodiscard]] SeriesPart forgetful_series(SeriesPart real);
/// ... does not tell tenants apart.
[[nodiscard]] SeriesPart open_series(SeriesPart real);
/// ... takes all of a second buffer for what it has of the first.
[[nodiscard]] SeriesPart first_buffer_series(SeriesPart real);
/// ... begins anew with each new buffer.
[[nodiscard]] SeriesPart restarting_series(SeriesPart real);

// The agent's stores, but ...
using StoreModule = ecp::storage::StoreModule;
/// ... a command is never written to the journal before it runs.
[[nodiscard]] const StoreModule& agent_module_without_journal();
/// ... a manifest is written only when there is none yet.
[[nodiscard]] const StoreModule& agent_module_with_first_manifest();
/// ... a manifest beyond the second cannot be read back.
[[nodiscard]] const StoreModule& agent_module_with_unreadable_manifest();

/// ... what waited when the agent ended takes a trillion times its room.
[[nodiscard]] const StoreModule& pipeline_module_that_seems_full();

// The platform's stores, but ...
/// ... every fifth notice is lost.
[[nodiscard]] const StoreModule& platform_module_that_loses_notices();
/// ... keys are not stored as they are.
[[nodiscard]] const StoreModule& platform_module_that_damages_keys();

// The fleet's stores, but ...
/// ... commands that are overdue are never found.
[[nodiscard]] const StoreModule& fleet_module_without_overdue_commands();
/// ... a command is read as pending, whatever became of it.
[[nodiscard]] const StoreModule& fleet_module_that_shows_commands_as_pending();
/// ... whatever became of a command is stored as done.
[[nodiscard]] const StoreModule& fleet_module_that_ends_commands_as_done();
/// ... whatever became of a command is stored as refused.
[[nodiscard]] const StoreModule& fleet_module_that_ends_commands_as_refused();
/// ... every fifth command is lost.
[[nodiscard]] const StoreModule& fleet_module_that_loses_commands();
/// ... a command is remembered although its transaction was rolled back.
[[nodiscard]] const StoreModule& fleet_module_that_keeps_what_was_rolled_back();
/// ... the count of samples that wait at an agent is only ever raised.
[[nodiscard]] const StoreModule& fleet_module_that_never_lowers_counts();
/// ... what an agent has in force stays as it was when the agent enrolled.
[[nodiscard]] const StoreModule& fleet_module_without_progress();
/// ... the numbers of manifests begin anew after the second.
[[nodiscard]] const StoreModule& fleet_module_that_counts_manifests_anew();
/// ... edge nodes are listed for every tenant.
[[nodiscard]] const StoreModule& fleet_module_that_lists_all_nodes();
/// ... an edge service is shown to every tenant.
[[nodiscard]] const StoreModule& fleet_module_that_shows_all_services();
/// ... of an edge service the first configuration that was wanted stays the one.
[[nodiscard]] const StoreModule& fleet_module_that_keeps_the_first_digest();
/// ... a restore of the database seems to be known already.
[[nodiscard]] const StoreModule& fleet_module_that_takes_restores_as_told();

// The alarms' stores, but ...
/// ... an alarm is never cleared.
[[nodiscard]] const StoreModule& alarm_module_that_clears_nothing();
/// ... every fifth alarm is lost.
[[nodiscard]] const StoreModule& alarm_module_that_loses_alarms();

// The audit's stores, but ...
/// ... every fifth entry of a write is lost.
[[nodiscard]] const StoreModule& audit_module_that_loses_writes();
/// ... every fifth entry of a raised alarm is lost.
[[nodiscard]] const StoreModule& audit_module_that_loses_alarms();
/// ... every fifth entry is stored with another subject than its hash was made of.
[[nodiscard]] const StoreModule& audit_module_that_stores_other_words();

}  // namespace ecp_test
