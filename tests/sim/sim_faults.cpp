// SPDX-License-Identifier: Apache-2.0
#include <ecp/fleet/edge_service_registry.hpp>
#include <ecp/rbac/authorizer.hpp>

#include "sim/sim_service.hpp"
#include "sim/sim_world.hpp"

namespace ecp_test {

using namespace ecp;  // NOLINT: a test reads better without prefixes.

namespace {

constexpr std::int64_t minute = 60'000;
constexpr std::int64_t hour = 60 * minute;
constexpr std::int64_t day = 24 * hour;

LossyDisk::Unsynced any_unsynced(Random& chance) {
  using Unsynced = LossyDisk::Unsynced;
  constexpr Unsynced all[] = {Unsynced::nothing, Unsynced::everything, Unsynced::some_sectors};
  return all[chance.below(3)];
}

}  // namespace

const std::vector<SimWorld::Fault>& SimWorld::all_faults() {
  static const std::vector<Fault> all{
      {"an agent is cut off", 3, &SimWorld::cut},
      {"a cut is healed", 5, &SimWorld::heal},
      {"an agent is killed", 3, &SimWorld::kill_agent},
      {"a replica is killed", 3, &SimWorld::kill_replica},
      {"a replica stands still", 3, &SimWorld::freeze_replica},
      {"the network loses, doubles and delays", 3, &SimWorld::worsen_network},
      {"the broker is stopped", 2, &SimWorld::stop_broker},
      {"the broker is started", 5, &SimWorld::start_broker},
      {"the broker is restarted", 2, &SimWorld::restart_broker},
      {"a configuration is changed", 4, &SimWorld::reconfigure},
      {"a write is asked for", 14, &SimWorld::ask_write},
      {"an agent's power is cut", 3, &SimWorld::cut_agents_power},
      {"the control plane's power is cut", 2, &SimWorld::cut_planes_power},
      {"an agent's disk is full", 2, &SimWorld::fill_agents_disk},
      {"the control plane's disk is full", 2, &SimWorld::fill_planes_disk},
      {"an agent's clock jumps", 2, &SimWorld::jump_clock},
      {"the receiver of notices comes or goes", 2, &SimWorld::turn_receiver},
      {"a disk is copied or put back", 5, &SimWorld::put_something_back},
  };
  return all;
}

void SimWorld::disturb() {
  unsigned sum = 0;
  for (const auto& fault : all_faults()) sum += fault.weight;
  auto& site = sites_[draw(sites_.size())];
  auto drawn = draw(sum);
  const auto* fault = all_faults().data();
  for (; drawn >= fault->weight; ++fault) drawn -= fault->weight;
  note(std::to_string(to_ms(world_.clock.now())) + " " + site.name + " " + fault->name);
  ++met_[fault->name];
  site.device->level = static_cast<double>(draw(20));
  (this->*fault->happen)(site);
  pass(static_cast<std::int64_t>(200 + draw(2'500)));
  revive();
  watch();
}

/// Programs that died are started again, sooner or later.
void SimWorld::revive() {
  for (auto& replica : replicas_) {
    if (replica.plane == nullptr && one_in(3)) open_plane(replica);
  }
  for (auto& site : sites_) {
    if (site.agent == nullptr && one_in(4)) boot(site);
  }
}

void SimWorld::cut(SimSite& site) { network_.cut(site.link.agent); }
void SimWorld::heal(SimSite& site) { network_.heal(site.link.agent); }

void SimWorld::kill_agent(SimSite& site) {
  soon(*site.process, [this, &site] { kill(site); });
}

void SimWorld::kill_replica(SimSite& /*site*/) {
  auto& replica = replicas_[draw(replicas_.size())];
  soon(*replica.process, [this, &replica] { kill_plane(replica); });
}

void SimWorld::freeze_replica(SimSite& /*site*/) {
  auto& replica = replicas_[draw(replicas_.size())];
  replica.process->freeze();
  world_.executor.post_after(Milliseconds(static_cast<std::int64_t>(draw(20'000))),
                             [&replica] { replica.process->thaw(); });
}

void SimWorld::worsen_network(SimSite& /*site*/) {
  auto faults = network_.faults();
  faults.lose = static_cast<unsigned>(draw(100));
  faults.duplicate = static_cast<unsigned>(draw(100));
  faults.delay_max = Milliseconds(static_cast<std::int64_t>(draw(300)));
  network_.set_faults(faults);
}

void SimWorld::stop_broker(SimSite& /*site*/) { network_.cut_all(); }
void SimWorld::start_broker(SimSite& /*site*/) { network_.heal_all(); }

void SimWorld::restart_broker(SimSite& /*site*/) {
  network_.cut_all();
  world_.executor.post_after(Milliseconds(static_cast<std::int64_t>(draw(3'000))),
                             [this] { network_.heal_all(); });
}

void SimWorld::reconfigure(SimSite& site) {
  auto* const asked = plane();
  if (asked == nullptr) return;
  const auto grant = [&] { return asked->authorizer().system("test", site.scope); };
  const auto service = asked->edge_services().get(grant(), site.service);
  if (!service) return;
  fleet::EdgeServiceRegistry::Changes changes;
  changes.config_json = sim_service_config(100 + 50 * static_cast<std::int64_t>(draw(5)));
  const auto done =
      asked->edge_services().update(grant(), site.service, service->revision, changes);
  if (done) ++done_["edge_service.update"];
}

void SimWorld::ask_write(SimSite& site) {
  auto* const asked = plane();
  if (asked == nullptr) return;
  SimWrite write;
  write.site = static_cast<std::size_t>(&site - sites_.data());
  write.value = next_value_++;
  const auto command = asked->edge_services().write(
      asked->authorizer().system("test", site.scope), site.service, sim_setpoint_tag,
      std::to_string(static_cast<int>(write.value)), Milliseconds(20'000));
  write.is_accepted = command.has_value();
  write.asked = world_.clock.steady();
  write.doubts = site.clone != nullptr ? 1 : 0;
  if (command) {
    write.command = command->what.id;
    ++done_["data_tag.write"];
  }
  writes_.push_back(write);
}

/// What was not synced is gone, or half of it.
void SimWorld::cut_agents_power(SimSite& site) {
  soon(*site.process, [this, &site] {
    disk_.power_cut(site.folder + "/");
    kill(site);
    disk_.restore(any_unsynced(chance_), chance_, site.folder + "/");
  });
}

void SimWorld::cut_planes_power(SimSite& site) {
  const auto is_inside = [](const SimReplica& replica) { return replica.process->is_inside(); };
  soon(*replicas_.front().process, [this, &site, is_inside] {
    if (std::any_of(replicas_.begin(), replicas_.end(), is_inside)) return cut_planes_power(site);
    disk_.power_cut(plane_folder_ + "/");
    kill_planes();
    disk_.restore(any_unsynced(chance_), chance_, plane_folder_ + "/");
  });
}

void SimWorld::fill_agents_disk(SimSite& site) {
  disk_.set_full(site.folder + "/", true);
  world_.executor.post_after(Milliseconds(static_cast<std::int64_t>(draw(20'000))),
                             [this, &site] { disk_.set_full(site.folder + "/", false); });
}

void SimWorld::fill_planes_disk(SimSite& /*site*/) {
  disk_.set_full(plane_folder_ + "/", true);
  world_.executor.post_after(Milliseconds(static_cast<std::int64_t>(draw(20'000))),
                             [this] { disk_.set_full(plane_folder_ + "/", false); });
}

void SimWorld::jump_clock(SimSite& site) {
  const auto far = one_in(4) ? day : one_in(2) ? hour : minute;
  const auto step = static_cast<std::int64_t>(draw(static_cast<std::uint64_t>(far)));
  site.process->set_clock_ahead(Milliseconds(one_in(2) ? step : -step));
}

void SimWorld::turn_receiver(SimSite& /*site*/) { receiver_->is_down = !receiver_->is_down; }

void SimWorld::calm_down() {
  is_calm_ = true;
  auto faults = network_.faults();
  network_.set_faults({0, 0, Milliseconds(0), faults.overtake});
  network_.heal_all();
  receiver_->is_down = false;
  disk_.set_full(plane_folder_ + "/", false);
  world_.executor.advance(Milliseconds(25'000));  // What is planned for later happens.
  for (auto& replica : replicas_) {
    if (replica.process->is_frozen()) replica.process->thaw();
    if (replica.plane == nullptr) open_plane(replica);
    if (replica.plane == nullptr) blame("a control plane does not start any more");
  }
  for (auto& site : sites_) {
    network_.heal(site.link.agent);
    disk_.set_full(site.folder + "/", false);
    kill_clone(site);
    if (site.agent == nullptr) boot(site);
    if (site.agent == nullptr) blame(site.name + ": the agent does not start any more");
    site.device->level = 0;
  }
  if (!seen_faults_.empty()) return;
  watch();
  pass(30'000);  // So long that all are linked and their alarms are judged.
  for (auto& site : sites_) site.device->silent = true;
  for (int i = 0; i < 90 && (i < 2 || !is_quiet()); ++i) pass(10'000);
  if (!is_quiet()) blame("fifteen minutes after the last fault not all is settled");
}

}  // namespace ecp_test
