// SPDX-License-Identifier: Apache-2.0
#pragma once

/// @file
/// One control plane and three agents over the loopback transport, all from one seed.

#include <array>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <ecp/agent/agent.hpp>
#include <ecp/core/env.hpp>
#include <ecp/fleet/edge_service.hpp>
#include <ecp/link/documents.hpp>
#include <ecp/plane/control_plane.hpp>
#include <ecp/series/series_store.hpp>
#include <ecp/storage/transaction.hpp>
#include <ecp/transport/loopback.hpp>

#include "sim/sim_devices.hpp"
#include "support/backends.hpp"

namespace ecp_test {

/// One edge node: its agent, its files, its device.
struct SimSite {
  std::string name;
  ecp::link::LinkDocument link;
  ecp::fleet::EdgeServiceId service;
  std::shared_ptr<SimDevice> device = std::make_shared<SimDevice>();
  std::unique_ptr<ecp::agent::Agent> agent;
  ecp::link::Generation highest;  ///< Greatest manifest it ever had in force.
  std::string database;
};

/// A write that was asked for.
struct SimWrite {
  ecp::fleet::CommandId command;
  std::size_t site = 0;
  double value = 0;
};

/// What a world is built from, so that a part can be a faulty one.
struct SimParts {
  const ecp::storage::StoreModule* agent_module = nullptr;  ///< Null: the product's.
  std::function<std::unique_ptr<ecp::series::SeriesStore>(
      std::unique_ptr<ecp::series::SeriesStore>)>
      wrap_series;  ///< None: the product's.
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

 private:
  void open_plane();
  void kill_plane();
  void set_up_project();
  void boot(SimSite& site);
  void kill_at_any_moment(SimSite& site);
  void kill_plane_at_any_moment();
  void reconfigure(SimSite& site);
  void ask_write(std::size_t site);
  void pass(std::int64_t ms);
  void watch();
  void note(const std::string& what) { history_ += what + "\n"; }
  [[nodiscard]] std::uint64_t draw(std::uint64_t bound) { return chance_.below(bound); }
  void check_samples(const SimSite& site, std::vector<std::string>& found);
  void check_effects(std::vector<std::string>& found);
  void check_alarms(std::vector<std::string>& found);
  [[nodiscard]] bool is_quiet();
  [[nodiscard]] ecp::plane::PlaneConfig config() const;
  [[nodiscard]] ecp::access::Grant grant() const;

  SimParts parts_;
  TemporaryFolder folder_;
  ecp::ManualEnv world_;
  ecp::SeededRandom chance_;  ///< The faults' own, so that they do not hang on anything else.
  ecp::transport::LoopbackNetwork network_;
  std::unique_ptr<ecp::plane::ControlPlane> plane_;
  ecp::access::Scope scope_;
  std::array<SimSite, 3> sites_;
  std::vector<SimWrite> writes_;
  std::map<ecp::link::EdgeNodeId, ecp::link::Generation> wanted_;
  std::vector<std::string> seen_faults_;  ///< Found while it ran.
  double next_value_ = 1;
  std::string history_;
};

/// Run a seed to its end; return what was wrong and what happened.
[[nodiscard]] std::pair<std::vector<std::string>, std::string> run_simulation(std::uint64_t seed,
                                                                              SimParts parts = {});

}  // namespace ecp_test
