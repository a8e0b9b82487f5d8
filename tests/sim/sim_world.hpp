// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// A control plane of one or two replicas and three agents over the loopback transport, all from
/// one seed.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include <ecp/agent/agent.hpp>
#include <ecp/core/env.hpp>
#include <ecp/fleet/edge_service.hpp>
#include <ecp/http/client.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/transaction.hpp>
#include <ecp/transport/loopback.hpp>

#include "sim/sim_devices.hpp"
#include "sim/sim_process.hpp"
#include "sim/sim_versions.hpp"
#include "support/backends.hpp"
#include "support/lossy_disk.hpp"

namespace ecp_test {

/// One edge node: its agent, its disk, its device.
struct SimSite {
  std::string name;
  ecp::access::Scope scope;
  ecp::link::LinkDocument link;
  ecp::fleet::EdgeServiceId service;
  std::shared_ptr<SimDevice> device = std::make_shared<SimDevice>();
  std::unique_ptr<SimProcess> process;
  std::unique_ptr<ecp::agent::Agent> agent;
  std::unique_ptr<SimProcess> clone_process;
  std::unique_ptr<ecp::agent::Agent> clone;  ///< Runs on a copy of the disk, for a while.
  ecp::link::Generation highest;             ///< Greatest manifest it ever had in force.
  std::string folder;
  bool is_restored = false;         ///< Its disk was put back, or copied.
  std::set<std::int64_t> readings;  ///< Stored at the plane when that happened last.
  std::int64_t committed = 0;       ///< Samples ever committed, as the disk put back says.
};

/// One ecpd.
struct SimReplica {
  std::string folder;
  std::unique_ptr<SimProcess> process;
  std::unique_ptr<ecp::plane::ControlPlane> plane;
};

/// A write that was asked for.
struct SimWrite {
  ecp::fleet::CommandId command;
  std::size_t site = 0;
  double value = 0;
  bool is_accepted = false;
  ecp::SteadyTime asked;
  int doubts = 0;  ///< How often its agent was put back or cloned while it was under way.
};

/// What a receiver of notices has got.
struct SimReceiver {
  bool is_down = false;
  std::map<std::string, int> notices;  ///< How often each id came.
};

/// Which disk is put back to an earlier state in a run.
enum class SimRestore : std::uint8_t { none, agent, clone, database };

/// What a world is built from, so that a part can be a faulty one.
struct SimParts {
  /// Modules of stores that stand in for the product's own of the same name.
  std::vector<const ecp::storage::StoreModule*> modules;
  std::function<std::unique_ptr<ecp::series::SeriesStore>(
      std::unique_ptr<ecp::series::SeriesStore>)>
      wrap_series;                    ///< None: the product's.
  std::optional<SimRestore> restore;  ///< None: drawn.
};

/// The world, what can go wrong in it, and what must be true of it.
class SimWorld {
 public:
  explicit SimWorld(std::uint64_t seed, SimParts parts = {});
  ~SimWorld();

  /// Let things happen, one of them drawn from the seed, then let time pass.
  void disturb();
  /// Mend everything, stop the devices, and wait until nothing is on its way any more.
  void calm_down();
  /// Stop all programs in good order.
  void stop();

  /// What is not as it must be, in words; empty when all is well. After stop().
  [[nodiscard]] std::vector<std::string> faults();
  /// A text in which two runs of one seed are equal.
  [[nodiscard]] std::string history() const { return history_; }
  /// What the programs logged as warnings and errors.
  [[nodiscard]] std::string log() const;
  /// How often each kind of fault was met.
  [[nodiscard]] const std::map<std::string, int>& met() const { return met_; }

  /// A crash point of the product was passed.
  void interrupt(const char* point);

 private:
  friend class SimChecks;
  struct Fault {
    const char* name;
    unsigned weight;
    void (SimWorld::*happen)(SimSite& site);
  };
  static const std::vector<Fault>& all_faults();

  // Programs.
  void open_plane(SimReplica& replica);
  void kill_plane(SimReplica& replica);
  void kill_planes();
  void boot(SimSite& site);
  [[nodiscard]] std::unique_ptr<ecp::agent::Agent> boot_on(SimSite& site, SimProcess& process,
                                                           const std::string& folder);
  void kill(SimSite& site);
  void kill_clone(SimSite& site);
  void draw_versions();
  [[nodiscard]] SimVersion version_of_start(SimVersion other);
  void set_up();
  void set_up(SimSite& site, const std::string& token);
  /// Begin when none of the program's tasks is interrupted.
  void soon(SimProcess& process, std::function<void()> act);

  // Faults.
  void cut(SimSite& site);
  void heal(SimSite& site);
  void kill_agent(SimSite& site);
  void kill_replica(SimSite& site);
  void freeze_replica(SimSite& site);
  void worsen_network(SimSite& site);
  void stop_broker(SimSite& site);
  void start_broker(SimSite& site);
  void restart_broker(SimSite& site);
  void reconfigure(SimSite& site);
  void ask_write(SimSite& site);
  void cut_agents_power(SimSite& site);
  void cut_planes_power(SimSite& site);
  void fill_agents_disk(SimSite& site);
  void fill_planes_disk(SimSite& site);
  void jump_clock(SimSite& site);
  void turn_receiver(SimSite& site);
  void put_something_back(SimSite& site);
  void put_agent_back(SimSite& site);
  void clone_agent(SimSite& site);
  void put_database_back();
  void copy_plane(const std::string& from, const std::string& to);
  void note_readings(SimSite& site);
  void note_restore(SimSite& site);

  void pass(std::int64_t ms);
  void revive();
  void watch();
  void watch_agents();
  void watch_nodes(ecp::plane::ControlPlane& plane);
  [[nodiscard]] bool is_quiet();
  void note(const std::string& what) { history_ += what + "\n"; }
  void blame(const std::string& what) { seen_faults_.push_back(what); }
  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) { return chance_.below(bound); }
  [[nodiscard]] bool one_in(std::uint64_t many) { return draw(many) == 0; }

  /// A replica that runs and can be asked; null when there is none.
  [[nodiscard]] ecp::plane::ControlPlane* plane();
  [[nodiscard]] ecp::plane::PlaneConfig config(const SimReplica& replica) const;
  [[nodiscard]] std::string database() const { return plane_folder_ + "/ecpd.db"; }
  [[nodiscard]] std::unique_ptr<ecp::storage::Store> open_agent_store(const std::string& folder,
                                                                      ecp::Env env) const;

  SimParts parts_;
  std::vector<const ecp::storage::StoreModule*> plane_modules_;
  std::vector<const ecp::storage::StoreModule*> agent_modules_;
  LossyDisk disk_;
  TemporaryFolder folder_;
  ecp::ManualEnv world_;
  ecp::SeededRandom chance_;  ///< The faults' own, so that they do not hang on anything else.
  ecp::SeededRandom version_chance_;  ///< The versions' own likewise: a seed's faults stay.
  ecp::transport::LoopbackNetwork network_;
  std::string plane_folder_;
  std::shared_ptr<ecp::series::SeriesStore> series_;  ///< Shared by the replicas that run.
  std::shared_ptr<SimReceiver> receiver_ = std::make_shared<SimReceiver>();  ///< Likewise.
  std::vector<SimReplica> replicas_;
  std::array<SimSite, 3> sites_;
  SimRestore restore_ = SimRestore::none;
  SimVersion other_agents_ = SimVersion::same;  ///< What some agents are when they start.
  SimVersion other_planes_ = SimVersion::same;
  bool has_seen_nodes_ = false;  ///< `wanted_` is as the database has it.
  bool is_backed_up_ = false;    ///< A copy waits to be put back.
  bool is_database_restored_ = false;
  bool is_restore_proven_ = false;  ///< An agent had more than the database that was put back.
  std::map<ecp::link::EdgeNodeId, ecp::link::Generation> backup_wanted_;
  std::map<std::string, int> backup_done_;
  bool is_calm_ = false;
  int interruptions_ = 0;
  std::vector<SimWrite> writes_;
  std::map<std::string, int> done_;  ///< Operations that were answered as done, for the audit.
  std::map<ecp::link::EdgeNodeId, ecp::link::Generation> wanted_;
  std::vector<std::string> seen_faults_;  ///< Found while it ran.
  std::map<std::string, int> met_;
  double next_value_ = 1;
  std::string history_;
};

/// What a run of one seed has to say.
struct SimOutcome {
  std::vector<std::string> faults;
  std::string history;
  std::map<std::string, int> met;
  std::string log;
};

/// Run a seed to its end.
[[nodiscard]] SimOutcome run_simulation(std::uint64_t seed, SimParts parts = {});

}  // namespace ecp_test
