// SPDX-License-Identifier: Apache-2.0
#include <filesystem>

#include <ecp/pipeline/buffer_store.hpp>

#include "sim/sim_service.hpp"
#include "sim/sim_world.hpp"
#include "support/results.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

constexpr Milliseconds longest_effect{25'000};  // A write's life of 20 s, and its way.

/// Copy a database as it is between two transactions, or as a machine's disk has it.
void copy_database(const std::string& from, const std::string& to, LossyDisk& disk) {
  for (const auto* part : {"", "-wal", "-shm"}) {
    std::filesystem::remove(to + part);
    disk.forget(to + part);
  }
  for (const auto* part : {"", "-wal"}) {
    if (std::filesystem::exists(from + part)) std::filesystem::copy_file(from + part, to + part);
  }
}

}  // namespace

void SimWorld::put_something_back(SimSite& /*site*/) {
  if (restore_ == SimRestore::agent) put_agent_back(sites_.front());
  if (restore_ == SimRestore::clone) clone_agent(sites_.front());
  if (restore_ == SimRestore::database) put_database_back();
}

/// First the disk is copied, the next time it is put back.
void SimWorld::put_agent_back(SimSite& site) {
  const auto live = site.folder + "/agent.db";
  const auto copy = folder_.file("backup.db");
  if (!std::exchange(is_backed_up_, !is_backed_up_)) return copy_database(live, copy, disk_);
  soon(*site.process, [this, &site, live, copy] {
    kill(site);
    note_readings(site);
    copy_database(copy, live, disk_);
    note_restore(site);
  });
}

/// A machine runs on a copy of the disk, until it is found.
void SimWorld::clone_agent(SimSite& site) {
  if (site.clone != nullptr) {
    soon(*site.clone_process, [this, &site] { kill_clone(site); });
    return;
  }
  if (site.agent == nullptr) return;
  copy_database(site.folder + "/agent.db", site.folder + "-clone/agent.db", disk_);
  note_readings(site);
  note_restore(site);
  site.clone = boot_on(site, *site.clone_process, site.folder + "-clone");
}

void SimWorld::put_database_back() {
  const auto copy = folder_.file("backup.db");
  if (!is_backed_up_ && !has_seen_nodes_) return;  // Nobody could say what it had.
  if (!std::exchange(is_backed_up_, !is_backed_up_)) {
    backup_wanted_ = wanted_;
    backup_done_ = done_;
    return copy_plane(database(), copy);
  }
  const auto is_inside = [](const SimReplica& replica) { return replica.process->is_inside(); };
  soon(*replicas_.front().process, [this, copy, is_inside] {
    if (std::any_of(replicas_.begin(), replicas_.end(), is_inside)) {
      is_backed_up_ = true;  // Not now.
      return;
    }
    kill_planes();
    copy_plane(copy, database());
    is_database_restored_ = true;
    for (const auto& site : sites_) {
      const auto wanted = backup_wanted_[site.link.agent];
      // The next one may be made again, octet for octet.
      const auto next = wanted.epoch == 0 ? link::Generation{1, 1}
                                          : link::Generation{wanted.epoch, wanted.generation + 1};
      if (site.highest > next) is_restore_proven_ = true;
    }
    if (is_restore_proven_) ++met_["an agent has more than the database put back"];
    wanted_ = backup_wanted_;
    done_ = backup_done_;
  });
}

/// The database and what stands beside it.
void SimWorld::copy_plane(const std::string& from, const std::string& to) {
  copy_database(from, to, disk_);
  const bool is_backup = to != database();
  for (std::size_t i = 0; i < replicas_.size(); ++i) {
    const auto live = replicas_[i].folder + "/audit-checkpoints.jsonl";
    const auto kept = folder_.file("backup-checkpoints-" + std::to_string(i));
    const auto& source = is_backup ? live : kept;
    const auto& target = is_backup ? kept : live;
    std::filesystem::remove(target);
    if (std::filesystem::exists(source)) std::filesystem::copy_file(source, target);
  }
}

/// What the plane has of a site right now stays, whatever happens to the agent's disk.
void SimWorld::note_readings(SimSite& site) {
  auto series = series_;
  if (series == nullptr) {
    auto opened = series::open_embedded_series(plane_folder_ + "/series", world_.env());
    if (!opened) return;  // On a full disk.
    series = std::move(*opened);
  }
  const series::SeriesKey key{site.scope.project.bytes(), site.service.bytes()};
  for (const auto& sample :
       must(series->samples(key, sim_counter_tag, Time{}, Time::max(), 1'000'000))) {
    if (const auto* number = std::get_if<std::int64_t>(&sample.value)) {
      site.readings.insert(*number);
    }
  }
}

void SimWorld::note_restore(SimSite& site) {
  const auto store = open_agent_store(site.folder, world_.env());
  if (store == nullptr) return;
  const auto state = must(store->read([](storage::Transaction& transaction) {
    return transaction.get<pipeline::BufferStore>().load();
  }));
  const auto since = world_.clock.steady() - longest_effect;
  for (auto& write : writes_) {
    if (&sites_[write.site] == &site && write.asked >= since) ++write.doubts;
  }
  site.is_restored = true;
  site.committed = state.committed();
  site.highest = {};
}

}  // namespace ecp_test
