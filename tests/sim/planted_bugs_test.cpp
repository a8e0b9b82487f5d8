// SPDX-License-Identifier: Apache-2.0
#include <algorithm>

#include <ecp/storage/transaction.hpp>

#include "sim/planted_bugs.hpp"
#include "sim/sim_world.hpp"

#include <doctest/doctest.h>

namespace ecp_test {
namespace {

constexpr std::uint64_t most_seeds = 20;  // That a bug may stay hidden in.

/// Whether a seed reports a fault with this text. What is met seldom is looked for from a later
/// seed on, so that it is found soon.
bool is_found_in(const SimParts& parts, const std::string& text, std::uint64_t first) {
  for (std::uint64_t seed = first; seed < first + most_seeds; ++seed) {
    const auto faults = run_simulation(seed, parts).faults;
    const bool is_found = std::any_of(faults.begin(), faults.end(), [&](const auto& fault) {
      return fault.find(text) != std::string::npos;
    });
    if (is_found) return true;
  }
  return false;
}

bool is_found_with(const StoreModule& module, const std::string& text, std::uint64_t first = 1) {
  SimParts parts;
  parts.modules = {&module};
  return is_found_in(parts, text, first);
}

bool is_found_with(SeriesPart (*series)(SeriesPart), const std::string& text,
                   std::uint64_t first = 1) {
  SimParts parts;
  parts.wrap_series = series;
  return is_found_in(parts, text, first);
}

TEST_SUITE("sim.planted_bugs") {
  TEST_CASE("a series store that acknowledges what it did not store is found") {
    CHECK(is_found_with(lying_series, "samples were committed and"));
  }

  TEST_CASE("a series store that stores nothing is found") {
    CHECK(is_found_with(empty_series, "nothing is stored at all"));
  }

  TEST_CASE("a series store that does not know samples by other numbers is found") {
    CHECK(is_found_with(forgetful_series, "samples are stored twice"));
  }

  TEST_CASE("a series store that shows values to another tenant is found") {
    CHECK(is_found_with(open_series, "sees values of another tenant"));
  }

  TEST_CASE("a series store that takes a second buffer for the first one is found") {
    CHECK(is_found_with(first_buffer_series, "samples were committed after a restore and", 5));
  }

  TEST_CASE("a series store that begins anew with a new buffer is found") {
    CHECK(is_found_with(restarting_series, "a stored sample is gone"));
  }

  TEST_CASE("an agent that runs commands without journaling them is found") {
    CHECK(is_found_with(agent_module_without_journal(), "a write ran twice"));
  }

  TEST_CASE("an agent that starts with an older manifest than it had is found") {
    CHECK(is_found_with(agent_module_with_first_manifest(), "went back to an old manifest"));
  }

  TEST_CASE("an agent that cannot read its manifest back is found") {
    CHECK(is_found_with(agent_module_with_unreadable_manifest(),
                        "the agent does not start any more", 7));
  }

  TEST_CASE("an agent that takes its buffer for full is found") {
    CHECK(is_found_with(pipeline_module_that_seems_full(), "samples were dropped"));
  }

  TEST_CASE("a control plane that cannot read its keys back is found") {
    CHECK(is_found_with(platform_module_that_damages_keys(),
                        "a control plane does not start any more"));
  }

  TEST_CASE("an outbox that loses notices is found") {
    CHECK(is_found_with(platform_module_that_loses_notices(), "notices came"));
  }

  TEST_CASE("a count of samples that is not what there is is found") {
    CHECK(is_found_with(fleet_module_that_never_lowers_counts(), "samples, the plane"));
  }

  TEST_CASE("commands that nobody brings to an end are found") {
    CHECK(is_found_with(fleet_module_without_overdue_commands(), "not all is settled"));
  }

  TEST_CASE("a command that is shown as pending for ever is found") {
    CHECK(is_found_with(fleet_module_that_shows_commands_as_pending(),
                        "a write never came to an end"));
  }

  TEST_CASE("a command that is told as done and never ran is found") {
    CHECK(is_found_with(fleet_module_that_ends_commands_as_done(), "a done write never ran"));
  }

  TEST_CASE("a command that is told as refused and ran is found") {
    CHECK(is_found_with(fleet_module_that_ends_commands_as_refused(),
                        "a refused or expired write ran"));
  }

  TEST_CASE("a command that was accepted and is not stored is found") {
    CHECK(is_found_with(fleet_module_that_loses_commands(), "an accepted write is gone"));
  }

  TEST_CASE("a command that runs although it was not accepted is found") {
    CHECK(is_found_with(fleet_module_that_keeps_what_was_rolled_back(),
                        "a write that was not accepted ran"));
  }

  TEST_CASE("an edge node whose progress is not stored is found") {
    CHECK(is_found_with(fleet_module_without_progress(), "what is wanted is not in force"));
  }

  TEST_CASE("an edge service whose progress is not stored is found") {
    CHECK(
        is_found_with(fleet_module_that_keeps_the_first_digest(), "what is in force is not told"));
  }

  TEST_CASE("a control plane that wants an older manifest than before is found") {
    CHECK(is_found_with(fleet_module_that_counts_manifests_anew(), "wants an older manifest", 5));
  }

  TEST_CASE("a list of edge nodes that crosses tenants is found") {
    CHECK(
        is_found_with(fleet_module_that_lists_all_nodes(), "sees an edge node of another tenant"));
  }

  TEST_CASE("an edge service that another tenant can read is found") {
    CHECK(is_found_with(fleet_module_that_shows_all_services(),
                        "sees an edge service of another tenant"));
  }

  TEST_CASE("a database put back that nobody is told of is found") {
    SimParts parts;
    parts.modules = {&fleet_module_that_takes_restores_as_told()};
    parts.restore = SimRestore::database;
    CHECK(is_found_in(parts, "the database was put back and nobody was told", 1));
  }

  TEST_CASE("alarms that are never cleared are found") {
    CHECK(is_found_with(alarm_module_that_clears_nothing(), "still active"));
  }

  TEST_CASE("alarms that were told by an agent and are not recorded are found") {
    CHECK(is_found_with(alarm_module_that_loses_alarms(), "transitions were committed and"));
  }

  TEST_CASE("a change without its audit entry is found") {
    CHECK(is_found_with(audit_module_that_loses_writes(), "data_tag.write was done"));
  }

  TEST_CASE("an alarm without its audit entry is found") {
    CHECK(is_found_with(audit_module_that_loses_alarms(),
                        "alarms and their audit entries do not agree"));
  }

  TEST_CASE("an audit entry that was stored otherwise than it was made is found") {
    CHECK(is_found_with(audit_module_that_stores_other_words(), "audit: "));
  }
}

}  // namespace
}  // namespace ecp_test
