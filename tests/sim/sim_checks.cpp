// SPDX-License-Identifier: Apache-2.0
#include "sim/sim_checks.hpp"

#include <algorithm>

#include <ecp/alarm/alarm_registry.hpp>
#include <ecp/alarm/notifier.hpp>
#include <ecp/audit/audit_registry.hpp>
#include <ecp/fleet/edge_node_registry.hpp>
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/pipeline/buffer_store.hpp>
#include <ecp/plane/maintenance.hpp>
#include <ecp/platform/outbox.hpp>
#include <ecp/rbac/authorizer.hpp>

#include "sim/sim_service.hpp"
#include "support/results.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

constexpr std::int64_t page = 200;

std::int64_t size(std::size_t count) { return static_cast<std::int64_t>(count); }

}  // namespace

access::Grant SimChecks::grant(const access::Scope& scope) const {
  return plane_.authorizer().system("test", scope);
}

void SimChecks::check_all() {
  for (const auto& site : world_.sites_) {
    check_samples(site);
    check_counters(site);
    check_desired(site);
    check_tenants(site);
  }
  check_effects();
  check_alarms();
  check_audit();
  check_restore();
}

/// Every sample that was committed to the agent's buffer is stored, and stored once.
void SimChecks::check_samples(const SimSite& site) {
  const auto store = world_.open_agent_store(site.folder, world_.world_.env());
  const auto state = must(store->read([](storage::Transaction& transaction) {
    return transaction.get<pipeline::BufferStore>().load();
  }));
  const series::SeriesKey key{site.scope.project.bytes(), site.service.bytes()};
  const auto stored = must(plane_.series().count(key));
  const auto samples =
      must(plane_.series().samples(key, sim_counter_tag, Time{}, Time::max(), 1'000'000));
  std::set<std::int64_t> numbers;
  for (const auto& sample : samples) {
    const auto* const number = std::get_if<std::int64_t>(&sample.value);
    if (number != nullptr) numbers.insert(*number);
  }
  if (numbers.size() != samples.size()) {
    blame(site, std::to_string(samples.size() - numbers.size()) + " samples are stored twice");
  }
  world_.note(site.name + " committed " + std::to_string(state.committed()) + " stored " +
              std::to_string(stored));
  if (state.dropped != 0) blame(site, "samples were dropped");
  if (numbers.empty()) blame(site, "nothing is stored at all");
  if (!site.is_restored && stored != state.committed()) {
    blame(site, std::to_string(state.committed()) + " samples were committed and " +
                    std::to_string(stored) + " are stored");
  }
  if (site.is_restored) check_restored(site, numbers, state.committed());
}

/// What was at the plane is still there, and so is all that was committed since.
void SimChecks::check_restored(const SimSite& site, const std::set<std::int64_t>& numbers,
                               std::int64_t committed) {
  if (!std::includes(numbers.begin(), numbers.end(), site.readings.begin(), site.readings.end())) {
    blame(site, "a stored sample is gone");
  }
  const auto since = size(numbers.size()) - size(site.readings.size());
  if (since < (committed - site.committed) / 2) {
    blame(site, std::to_string(committed - site.committed) +
                    " samples were committed after a restore and " + std::to_string(2 * since) +
                    " of them are stored");
  }
}

/// What is counted as it goes is what a recount finds.
void SimChecks::check_counters(const SimSite& site) {
  const auto store = world_.open_agent_store(site.folder, world_.world_.env());
  const auto state = must(store->read([](storage::Transaction& transaction) {
    return transaction.get<pipeline::BufferStore>().load();
  }));
  const auto counted = site.agent->status();
  const auto node = must(plane_.edge_nodes().get(grant(site.scope), site.link.agent));
  if (counted.buffered != state.samples || node.status.buffered != state.samples) {
    blame(site, "the agent counts " + std::to_string(counted.buffered) + " samples, the plane " +
                    std::to_string(node.status.buffered) + ", and there are " +
                    std::to_string(state.samples));
  }
}

/// What is wanted is in force, and told so.
void SimChecks::check_desired(const SimSite& site) {
  const auto node = must(plane_.edge_nodes().get(grant(site.scope), site.link.agent));
  if (node.status.applied != node.wanted) blame(site, "what is wanted is not in force");
  const auto service = must(plane_.edge_services().get(grant(site.scope), site.service));
  const auto& status = service.status;
  if (status.resource != link::ResourceState::applied ||
      status.wanted_sha256 != status.applied_sha256) {
    blame(site, "what is in force is not told");
  }
}

/// A tenant sees nothing of another one.
void SimChecks::check_tenants(const SimSite& site) {
  const auto nodes = must(plane_.edge_nodes().list(grant(site.scope), {}, {page, 0}));
  for (const auto& other : world_.sites_) {
    if (other.scope.project == site.scope.project) continue;
    for (const auto& node : nodes.items) {
      if (node.id == other.link.agent) blame(site, "sees an edge node of another tenant");
    }
    const series::SeriesKey crossed{site.scope.project.bytes(), other.service.bytes()};
    if (must(plane_.series().count(crossed)) != 0) blame(site, "sees values of another tenant");
    if (plane_.edge_services().get(grant(site.scope), other.service)) {
      blame(site, "sees an edge service of another tenant");
    }
  }
}

/// No effect ran twice, but what was on its way while its agent was put back or cloned: each of the
/// disks, which know nothing of each other, may run it. Each came to an end, and what is said of it
/// is true.
void SimChecks::check_effects() {
  for (const auto& write : world_.writes_) {
    const auto& site = world_.sites_[write.site];
    const auto entry = site.device->written.find(write.value);
    const int times = entry == site.device->written.end() ? 0 : entry->second;
    if (times > 1 + write.doubts) blame(site, "a write ran twice");
    if (!write.is_accepted) {
      if (times != 0) blame(site, "a write that was not accepted ran");
      continue;
    }
    const auto command = plane_.edge_services().get_command(grant(site.scope), write.command);
    if (!command) {
      if (!world_.is_database_restored_) blame(site, "an accepted write is gone");
      continue;
    }
    world_.note(std::to_string(write.value) + " " + std::string(to_string(command->state)));
    using State = link::CommandState;
    if (command->state == State::done && times == 0) blame(site, "a done write never ran");
    const bool is_no = command->state == State::refused || command->state == State::expired;
    if (is_no && times != 0 && write.doubts == 0) blame(site, "a refused or expired write ran");
    if (command->state == State::pending) blame(site, "a write never came to an end");
  }
}

/// The level is low at the end, so nothing is active; each raise and each clear that an agent told
/// is recorded, and was noticed.
void SimChecks::check_alarms() {
  std::int64_t transitions = 0;
  std::set<access::ProjectId> seen;
  for (const auto& site : world_.sites_) {
    if (!seen.insert(site.scope.project).second) continue;
    for (std::int64_t at = 0;; at += page) {
      const auto alarms = must(plane_.alarms().list(grant(site.scope), {}, {page, at}));
      for (const auto& alarm : alarms.items) {
        transitions += alarm.state == alarm::AlarmState::cleared ? 2 : 1;
        check_alarm(alarm);
      }
      if (size(alarms.items.size()) < page) break;
    }
  }
  for (const auto& site : world_.sites_) check_transitions(site);
  const auto noticed = size(world_.receiver_->notices.size());
  if (noticed < transitions || (!world_.is_database_restored_ && noticed != transitions)) {
    world_.blame(std::to_string(transitions) + " alarms were raised or cleared and " +
                 std::to_string(noticed) + " notices came");
  }
  if (count("alarm.raise") + count("alarm.clear") != transitions) {
    world_.blame("alarms and their audit entries do not agree");
  }
}

void SimChecks::check_alarm(const alarm::Alarm& alarm) {
  const bool is_about_values = alarm.source == alarm::sources::threshold;
  if (is_about_values) ++transitions_of_[alarm.service];
  if (alarm.state == alarm::AlarmState::cleared) {
    if (is_about_values) ++transitions_of_[alarm.service];
    return;
  }
  if (is_about_values || alarm.source == alarm::sources::node_offline ||
      alarm.source == alarm::sources::service_failed) {
    world_.blame("still active: " + alarm.name + ", " + alarm.message);
  }
}

/// Only where the journal never was numbered anew.
void SimChecks::check_transitions(const SimSite& site) {
  const auto store = world_.open_agent_store(site.folder, world_.world_.env());
  const auto next = must(store->read([](storage::Transaction& transaction) {
    return transaction.get<pipeline::BufferStore>().next_journal_number("alarm");
  }));
  if (world_.restore_ != SimRestore::none) return;
  if (transitions_of_[site.service] != next - 1) {
    blame(site, std::to_string(next - 1) + " transitions were committed and " +
                    std::to_string(transitions_of_[site.service]) + " are recorded");
  }
}

std::int64_t SimChecks::count(const std::string& operation) {
  std::int64_t total = 0;
  std::set<access::OrganizationId> seen;
  for (const auto& site : world_.sites_) {
    if (!seen.insert(site.scope.organization).second) continue;
    audit::EntryQuery query;
    query.scope = site.scope;
    query.operation = operation;
    total += must(plane_.audit().list(grant(site.scope), query, {1, 0})).total;
  }
  return total;
}

/// What was answered as done has its audit entry, and nothing else has.
void SimChecks::check_audit() {
  for (const auto& [operation, times] : world_.done_) {
    if (count(operation) == times) continue;
    world_.blame(operation + " was done " + std::to_string(times) + " times and has " +
                 std::to_string(count(operation)) + " audit entries");
  }
}

/// A database that was put back is told, once an agent can prove it.
void SimChecks::check_restore() {
  if (!world_.is_restore_proven_) return;
  audit::EntryQuery query;
  query.operation = "platform.restored";
  const auto told =
      must(plane_.audit().list(grant(access::Scope::platform()), query, {1, 0})).total;
  if (told == 0) world_.blame("the database was put back and nobody was told");
}

std::vector<std::string> SimWorld::faults() {
  if (!seen_faults_.empty()) return seen_faults_;
  if (auto* const asked = plane(); asked != nullptr) SimChecks(*this, *asked).check_all();
  for (auto& site : sites_) kill(site);
  for (auto& replica : replicas_) {
    if (replica.plane != nullptr) replica.plane->stop();
  }
  kill_planes();
  for (const auto& replica : replicas_) {
    const auto report =
        must(plane::verify_audit(config(replica), Secret(std::string(64, 'a')), world_.env()));
    if (!report.is_whole()) blame("audit: " + report.summary());
    note(report.summary());
  }
  return seen_faults_;
}

/// What must hold at every moment.
void SimWorld::watch() {
  watch_agents();
  has_seen_nodes_ = false;
  if (auto* const asked = plane(); asked != nullptr) watch_nodes(*asked);
}

/// No agent ever goes back to an older manifest.
void SimWorld::watch_agents() {
  for (auto& site : sites_) {
    if (site.agent == nullptr) continue;
    const auto applied = site.agent->status().applied;
    if (applied < site.highest) blame(site.name + ": went back to an old manifest");
    site.highest = std::max(site.highest, applied);
  }
}

/// Nor does the plane ever want one.
void SimWorld::watch_nodes(plane::ControlPlane& plane) {
  has_seen_nodes_ = true;
  for (const auto& site : sites_) {
    const auto node =
        plane.edge_nodes().get(plane.authorizer().system("test", site.scope), site.link.agent);
    if (!node) {  // On a full disk, or while it starts.
      has_seen_nodes_ = false;
      continue;
    }
    auto& highest = wanted_[node->id];
    if (node->wanted < highest) blame(node->name + ": wants an older manifest");
    highest = std::max(highest, node->wanted);
  }
}

bool SimWorld::is_quiet() {
  auto* const asked = plane();
  if (asked == nullptr) return false;
  for (const auto& site : sites_) {
    const auto status = site.agent->status();
    if (!status.linked || status.buffered != 0) return false;
    if (status.applied != wanted_[site.link.agent]) return false;
    const auto grant = asked->authorizer().system("test", site.scope);
    const auto commands = must(asked->edge_services().list_commands(grant, {page, 0}));
    if (std::any_of(commands.items.begin(), commands.items.end(), [](const auto& command) {
          return command.state == link::CommandState::pending;
        })) {
      return false;
    }
  }
  const auto notices = must(asked->store().read([](storage::Transaction& transaction) {
    return transaction.get<platform::OutboxStore>().count(alarm::webhook_outbox_kind);
  }));
  return notices == 0;
}

}  // namespace ecp_test
